// SPDX-License-Identifier: Apache-2.0
// The plan that was hashed, and what changed since the last run of the pack.
#include <fmt/format.h>

#include "appliance/page/run.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::element;

constexpr std::size_t kValue = 400, kRows = 200;

Html table(const char* caption, std::initializer_list<const char*> names, const Html& rows) {
  Html heads;
  for (const char* name : names) heads += element("th", {{"scope", "col"}}, name);
  return element("div", {{"class", "scroll"}},
                 element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, heads)),
                         element("tbody", {}, rows)));
}

Html code_cell(const std::string& text) {
  return element("td", {}, element("code", {}, text));
}
std::string value_text(const Json& value) {
  return text_of(Json{{"v", value}}, "v", kValue);
}

Html inputs(const Json& plan) {
  Html rows;
  const Json& values = list_of(plan, "inputs");
  if (!values.is_object() || values.empty()) return {};
  std::size_t shown = 0;
  for (const auto& [name, value] : values.items()) {
    if (++shown > kRows) break;
    rows +=
        element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, name)), code_cell(value_text(value)));
  }
  return table("Inputs", {"Name", "Value"}, rows);
}

Html approvals(const Json& plan) {
  const Json& list = list_of(plan, "approvals");
  if (list.empty()) return {};
  Html rows;
  for (const Json& one : list)
    rows +=
        element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, text_of(one, "id", kValue))),
                element("td", {}, text_of(one, "threshold")), code_cell(text_of(one, "roles", kValue)),
                element("td", {}, text_of(one, "expiresAfter")), element("td", {}, text_of(one, "message", kValue)));
  return table("Approvals", {"Gate", "Needs", "Roles", "Runs out after", "Message"}, rows);
}

Html secrets(const Json& plan) {
  const Json& list = list_of(plan, "secrets");
  if (list.empty()) return {};
  Html rows;
  for (const Json& one : list)
    rows += element("tr", {}, element("th", {{"scope", "row"}}, element("code", {}, text_of(one, "name", kValue))),
                    code_cell(text_of(one, "scope", kValue)), element("td", {}, text_of(one, "as")),
                    code_cell(text_of(one, "steps", kValue)));
  return table("Secrets (names only)", {"Name", "Scope", "As", "Steps"}, rows);
}

Html network(const Json& plan) {
  const Json& parts = list_of(plan, "network");
  Html rows;
  for (const auto& [name, word, state] :
       {std::tuple{"allowed", "allowed", "succeeded"}, std::tuple{"refused", "refused", "failed"}}) {
    for (const Json& one : list_of(parts, name))
      rows += element("tr", {}, element("td", {}, shape(state), " ", word), code_cell(text_of(one, "host", kValue)),
                      code_cell(text_of(one, "address", kValue)), element("td", {}, text_of(one, "port")));
  }
  if (rows.empty()) return element("p", {}, "No network.");
  return table("Network", {"Decision", "Host", "Address", "Port"}, rows);
}

Html change_row(const PlanChange& change) {
  const bool added = !change.before, removed = !change.after;
  return element("tr",
                 {{"class", added     ? "added"
                            : removed ? "removed"
                                      : "changed"}},
                 element("td", {},
                         added     ? "+ added"
                         : removed ? "− removed"
                                   : "~ changed"),
                 element("th", {{"scope", "row"}}, element("code", {}, change.place)),
                 code_cell(change.before ? value_text(*change.before) : ""),
                 code_cell(change.after ? value_text(*change.after) : ""));
}

Html changes(const RunView& view) {
  if (view.compared_with.empty())
    return element("p", {{"class", "faint"}},
                   "No earlier run of this pack has succeeded: there is nothing to compare with.");
  const Html with = element("a", {{"class", "id"}, {"href", run_path(view.compared_with)}}, view.compared_with);
  if (view.changes.empty())
    return element("p", {}, "The same plan as ", with, ", the last run of this pack that succeeded.");
  Html rows;
  for (std::size_t i = 0; i < std::min(view.changes.size(), kRows); ++i) rows += change_row(view.changes[i]);
  Html all = element("p", {}, fmt::format("{} differences from ", view.changes.size()), with,
                     ", the last run of this pack that succeeded.");
  all += table("Differences", {"What", "Where", "Then", "Now"}, rows);
  if (view.changes.size() > kRows) all += element("p", {}, fmt::format("The first {} are shown.", kRows));
  return all;
}

}  // namespace

Html plan_part(const RunView& view) {
  const std::string run = text_of(view.summary, "runId");
  const std::string runtime = text_of(view.plan, "runtime", kValue);
  Html text = element("h2", {{"id", "plan-title"}}, "Plan") + copyable(text_of(view.summary, "planHash"));
  text += changes(view);
  text += inputs(view.plan) + approvals(view.plan) + secrets(view.plan) + network(view.plan);
  text += element(
      "p", {}, "Steps use ",
      runtime == "host" ? Html("the appliance's own programs.") : Html("the image ") + element("code", {}, runtime));
  text += element(
      "p", {}, element("a", {{"href", run_path(run) + "/plan.json"}, {"download", "plan.json"}}, "Download plan.json"),
      ": its SHA-256 is the plan hash.");
  return element("section", {{"id", "plan"}, {"class", "part"}, {"aria-labelledby", "plan-title"}}, text);
}

}  // namespace stella::page
