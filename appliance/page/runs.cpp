// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/runs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stella::page {
namespace {

using canon::Json;
using markup::Attribute;
using markup::element;

constexpr const char* kStates[] = {"",       "running",   "waiting", "paused", "succeeded",
                                   "failed", "cancelled", "expired", "planned"};

Html options(const std::string& chosen) {
  Html all;
  for (const char* state : kStates)
    all += element("option", {{"value", state}, Attribute::flag("selected", chosen == state)},
                   *state == 0 ? "any" : state);
  return all;
}

Html field(const char* label, const std::string& id, const Html& input) {
  return element("span", {{"class", "field"}}, element("label", {{"for", id}}, label), input);
}
Html text_field(const char* label, const std::string& name, const std::string& value, const char* hint) {
  const std::string id = "by-" + name;
  return field(label, id,
               element("input", {{"id", id},
                                 {"name", name},
                                 {"value", value},
                                 {"placeholder", hint},
                                 {"maxlength", "200"},
                                 {"autocomplete", "off"}}));
}

Html filters(const RunsView& view) {
  const bool any = !view.state.empty() || !view.pack.empty() || !view.tenant.empty() || !view.since.empty();
  return element(
      "form", {{"class", "filters"}, {"role", "search"}, {"method", "get"}, {"action", runs_path()}},
      field("State", "by-state", element("select", {{"id", "by-state"}, {"name", "state"}}, options(view.state))),
      text_field("Pack", "pack", view.pack, "any"), text_field("Tenant", "tenant", view.tenant, "any"),
      text_field("Since", "since", view.since, "24h, 7d or a date"), element("button", {}, "Filter"),
      any ? element("a", {{"class", "clear"}, {"href", runs_path()}}, "Clear") : Html());
}

// Done of all, with the failed ones in their own words.
Html steps(const Json& run) {
  const std::int64_t all = number_of(run, "stepsTotal"), done = number_of(run, "stepsDone"),
                     bad = number_of(run, "stepsFailed");
  if (all == 0) return {};
  Html text = element("progress", {{"max", all}, {"value", std::min(all, done)}, {"aria-label", "Steps done"}}) +
              element("span", {{"class", "of"}}, fmt::format("{}/{}", done, all));
  if (bad > 0) text += element("span", {{"class", "bad"}}, fmt::format(" {} failed", bad));
  return text;
}

bool is_moving(const std::string& state) {
  return state == "running" || state == "waiting" || state == "paused" || state == "planned";
}

Html elapsed(const Json& run, clock::Time now) {
  const std::string created = text_of(run, "created"), updated = text_of(run, "updated");
  if (created.empty()) return {};
  const clock::Time from = clock::parse_time(created, fault::Code::internal, "created");
  if (is_moving(text_of(run, "state"))) return since(created, span_text(now - from));
  return span_text(clock::parse_time(updated, fault::Code::internal, "updated") - from);
}

Html row(const Json& run, clock::Time now) {
  const std::string id = text_of(run, "runId"), state = text_of(run, "state"), reason = text_of(run, "reason", 80);
  Html why;
  if (!reason.empty()) why = element("span", {{"class", "faint"}}, reason);
  return element("tr", {{"data-key", id}, {"class", "run"}, {"data-state", state}},
                 element("td", {{"class", "state"}}, badge(state), " ", why),
                 element("th", {{"scope", "row"}},
                         element("a", {{"class", "item"}, {"href", run_path(id)}},
                                 element("span", {{"class", "pack"}}, text_of(run, "pack", 200)),
                                 element("span", {{"class", "id"}}, id))),
                 element("td", {{"class", "steps"}}, steps(run)),
                 element("td", {{"class", "when"}}, moment(text_of(run, "created"))),
                 element("td", {{"class", "took"}}, elapsed(run, now)),
                 element("td", {{"class", "by"}}, text_of(run, "requestedBy", 100)),
                 element("td", {{"class", "tenant"}}, text_of(run, "tenant", 100)));
}

Html table(const RunsView& view) {
  Html rows;
  for (const Json& run : view.runs) rows += row(run, view.now);
  Html heads;
  for (const char* name : {"State", "Run", "Steps", "Started", "Took", "Asked by", "Tenant"})
    heads += element("th", {{"scope", "col"}}, name);
  return element("table", {{"class", "runs"}}, element("caption", {{"class", "unseen"}}, "Runs, newest first"),
                 element("thead", {}, element("tr", {}, heads)), element("tbody", {{"id", "rows"}}, rows));
}

Html empty(const RunsView& view) {
  const bool filtered = !view.state.empty() || !view.pack.empty() || !view.tenant.empty() || !view.since.empty();
  if (filtered) return element("p", {{"class", "empty"}}, "No run is like that.");
  return element("div", {{"class", "empty"}}, element("p", {}, "No run yet. One begins with:"),
                 copyable("stella pack run --pack NAME:VERSION --inputs inputs.yaml"));
}

}  // namespace

std::string runs_page(const Frame& frame, const RunsView& view) {
  Html content = element("div", {{"class", "title"}}, element("h1", {}, "Runs")) + filters(view);
  if (!view.problem.empty())
    content += element("p", {{"class", "notice bad"}, {"role", "alert"}}, shape("failed"), " ", view.problem);
  content += element("div", {{"id", "live"}, {"data-live", "runs"}},
                     view.runs.empty() ? empty(view) : element("div", {{"class", "scroll"}}, table(view)),
                     view.next.empty()
                         ? Html()
                         : element("p", {{"class", "pages"}}, element("a", {{"href", view.next}}, "Older runs")));
  return framed(frame, {.title = "Runs", .kind = "runs", .content = content});
}

}  // namespace stella::page
