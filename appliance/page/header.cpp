// SPDX-License-Identifier: Apache-2.0
// The head of a run's page: what runs, how it stands, and what one can do about it.
#include <fmt/format.h>

#include "appliance/page/run.hpp"

#include "appliance/journal/via.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::Attribute;
using markup::element;

Html fact(const char* name, const Html& value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}

Html plan_hash(const std::string& hash) {
  const std::string shown = hash.size() > 19 ? hash.substr(0, 19) + "…" : hash;
  return element("code", {{"title", hash}}, shown) + element("button",
                                                             {{"class", "quiet needs-script"},
                                                              {"type", "button"},
                                                              {"data-copy", hash},
                                                              {"aria-label", "Copy the plan hash"}},
                                                             "Copy");
}

bool is_moving(const std::string& state) {
  return state == "running" || state == "waiting" || state == "paused" || state == "planned";
}

Html elapsed(const RunView& view) {
  const std::string created = text_of(view.summary, "created"), updated = text_of(view.summary, "updated");
  if (created.empty()) return {};
  const clock::Time from = clock::parse_time(created, fault::Code::internal, "created");
  if (is_moving(text_of(view.summary, "state"))) return since(created, span_text(view.now - from));
  return span_text(clock::parse_time(updated, fault::Code::internal, "updated") - from);
}

std::string asker_of(const Json& run) {
  const std::string via = journal::via_text(list_of(run, "requestedVia"));
  return text_of(run, "requestedBy", 200) + (via.empty() ? "" : ", by " + via);
}

Html facts(const RunView& view) {
  const Json& run = view.summary;
  Html all = fact("Plan", plan_hash(text_of(run, "planHash")));
  all += fact("Asked by", asker_of(run));
  all += fact("Tenant", text_of(run, "tenant", 100));
  all += fact("Started", moment(text_of(run, "created")));
  all += fact("Took", elapsed(view));
  all += fact("Attempt", text_of(run, "attempt"));
  if (const std::int64_t steps = number_of(run, "stepsTotal"); steps > 0)
    all += fact("Steps", fmt::format("{} of {} done{}", number_of(run, "stepsDone"), steps,
                                     number_of(run, "stepsFailed") > 0
                                         ? fmt::format(", {} failed", number_of(run, "stepsFailed"))
                                         : std::string()));
  if (const Json& hold = list_of(run, "hold"); hold.is_object() && !hold.empty())
    all += fact("Held", fmt::format("by {}: {}", text_of(hold, "who", 100), text_of(hold, "reason", 200)));
  return element("dl", {{"class", "facts"}}, all);
}

Html seals(const RunView& view) {
  Html all;
  const std::string mode = text_of(view.plan, "mode");
  if (mode == "sealed") {
    all += element(
        "span",
        {{"class", "seal"}, {"title", "Steps reach only what the site policy lists; stella opens no connection"}},
        element("svg", {{"class", "lock"}, {"viewBox", "0 0 16 16"}, {"aria-hidden", "true"}},
                element("path", {{"d", "M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm1.8 0h4.4V5a2.2 2.2 0 0 0-4.4 0z"}})),
        " sealed");
  } else if (!mode.empty()) {
    all += element("span", {{"class", "seal open"}}, mode);
  }
  if (!text_of(view.summary, "evidence").empty())
    all += element("a", {{"class", "seal"}, {"href", "#evidence"}},
                   text_of(view.summary, "exported") == "true" ? "evidence exported" : "evidence sealed");
  return all;
}

// Asks once more in place, with and without a script.
Html asked_twice(const Frame& frame, const std::string& action, const char* verb, const char* sentence,
                 const Html& more = {}) {
  return element("details", {{"class", "confirm"}}, element("summary", {{"class", "button"}}, fmt::format("{}…", verb)),
                 element("form", {{"method", "post"}, {"action", action}}, token_field(frame),
                         element("p", {}, sentence), more, element("button", {{"class", "main"}}, verb)));
}

Html actions(const Frame& frame, const RunView& view) {
  if (frame.form_token.empty() || !frame.may_run) return {};
  const std::string state = text_of(view.summary, "state"), path = run_path(text_of(view.summary, "runId"));
  Html all;
  if (state == "failed" || state == "cancelled" || state == "expired")
    all += asked_twice(frame, path + "/resume", "Resume", "A new attempt: finished steps are reused, gates ask anew.");
  if (state == "paused" || state == "waiting")
    all +=
        asked_twice(frame, path + "/resume", "Resume", "The run goes on where it stopped, if nothing else is missing.");
  if (is_moving(state))
    all += asked_twice(
        frame, path + "/cancel", "Cancel", "What runs is ended; the run can be resumed as a new attempt.",
        element("label", {{"for", "why"}}, "Reason") +
            element("input", {{"id", "why"}, {"name", "reason"}, {"maxlength", "200"}, {"autocomplete", "off"}}));
  return element("div", {{"class", "actions"}}, all);
}

Html what_went_wrong(const RunView& view) {
  const Json& run = view.summary;
  const std::string code = text_of(run, "code"), state = text_of(run, "state");
  if (code.empty() || state == "waiting" || state == "running") return {};
  Html lines =
      element("p", {}, element("b", {}, code), " ", element("span", {{"class", "faint"}}, text_of(run, "reason", 100)));
  for (const Json& step : list_of(run, "steps")) {
    const std::string step_state = text_of(step, "state"), message = text_of(step, "message", 600);
    if ((step_state != "failed" && step_state != "unknown") || message.empty()) continue;
    lines +=
        element("p", {},
                element("a", {{"class", "id"}, {"href", log_link(text_of(run, "runId"), text_of(step, "step"), 0, 0)}},
                        text_of(step, "step", 200)),
                ": ", message);
    break;
  }
  if (!view.cause.empty()) lines += element("p", {{"class", "faint"}}, view.cause);
  if (!view.fix.empty()) lines += element("p", {}, element("b", {}, "What to do: "), view.fix);
  if (const std::string next = text_of(run, "next"); !next.empty()) lines += copyable(next);
  return element("section", {{"class", "wrong-box " + tone_of(state)}, {"aria-label", "Why it stopped"}}, lines);
}

}  // namespace

Html run_header(const Frame& frame, const RunView& view) {
  const Json& run = view.summary;
  const std::string state = text_of(run, "state");
  return element(
             "div", {{"class", "title"}},
             element("div", {{"class", "grow"}}, element("h1", {}, text_of(run, "pack", 300)),
                     element("p", {{"class", "id"}}, text_of(run, "runId"))),
             element("p", {{"class", "state big"}, {"id", "state"}, {"data-state", state}}, badge(state), seals(view)),
             actions(frame, view)) +
         facts(view) + what_went_wrong(view);
}

}  // namespace stella::page
