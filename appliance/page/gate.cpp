// SPDX-License-Identifier: Apache-2.0
// The gates that wait: what each lets go on, who may decide, who has, who is missing, how long there is, and the two
// files that travel.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "appliance/page/run.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::Attribute;
using markup::element;

constexpr std::size_t kNamed = 6;

bool waits(const std::string& state) {
  return state == "waiting" || state == "no-request" || state == "withdrawn" || state == "open";
}

std::vector<std::string> texts(const Json& object, const char* name) {
  std::vector<std::string> all;
  const Json& list = list_of(object, name);
  if (!list.is_array()) return all;
  for (const Json& one : list) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

Html fact(const char* name, const Html& value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}

// One mark an approval: filled for what is there.
Html pips(std::int64_t have, std::int64_t need) {
  Html marks;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(need, 12); ++i)
    marks += element("span", {{"class", i < have ? "pip full" : "pip"}, {"aria-hidden", "true"}});
  return element("span", {{"class", "pips"}}, marks) + fmt::format(" {} of {}", have, need);
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

Html missing(const Json& gate) {
  const std::int64_t left = number_of(gate, "need") - number_of(gate, "have");
  const std::vector<std::string> roles = texts(gate, "missingRoles");
  std::string text = left > 0 ? fmt::format("{} more approval{}", left, left == 1 ? "" : "s") : "";
  if (!roles.empty()) text += fmt::format("{}{}", text.empty() ? "" : "; ", joined(roles));
  return text.empty() ? Html("nobody") : Html(text);
}

Html time_left(const Json& gate, clock::Time now) {
  const std::string expires = text_of(gate, "expiresAt");
  if (expires.empty()) return "no end is set";
  const clock::Duration left = clock::parse_time(expires, fault::Code::internal, "expiresAt") - now;
  return until(expires, left.count() > 0 ? span_text(left) : "none") +
         element("span", {{"class", "faint"}}, " until ", moment(expires));
}

Html releases(const RunView& view, const std::vector<graph::Step>& steps, const std::string& gate_step) {
  const std::vector<std::string> ids = released_by(steps, gate_step);
  if (ids.empty()) return "the end of the run";
  Html list;
  for (std::size_t i = 0; i < std::min(ids.size(), kNamed); ++i)
    list +=
        element("a", {{"class", "id"}, {"href", log_link(text_of(view.summary, "runId"), ids[i], 0, 0)}}, ids[i]) + " ";
  if (ids.size() > kNamed) list += fmt::format("and {} more", ids.size() - kNamed);
  return list;
}

std::string message_of(const RunView& view, const std::string& gate) {
  for (const Json& one : list_of(view.plan, "approvals")) {
    if (text_of(one, "id") == gate) return text_of(one, "message", 1000);
  }
  return {};
}

Html upload(const Frame& frame, const std::string& run, const std::string& field) {
  if (frame.form_token.empty() || !frame.may_approve)
    return element("p", {{"class", "faint"}}, "On the command line: ") +
           copyable("stella pack approve --offline-response FILE");
  return element("form",
                 {{"class", "upload"},
                  {"method", "post"},
                  {"action", run_path(run) + "/approve"},
                  {"enctype", "multipart/form-data"}},
                 token_field(frame), element("label", {{"for", field}}, "Signed response (RES-….json)"),
                 element("input", {{"id", field},
                                   {"type", "file"},
                                   {"name", "response"},
                                   {"accept", ".json,application/json"},
                                   Attribute::flag("required", true)}),
                 element("button", {{"class", "main"}}, "Upload response"));
}

Html resume(const Frame& frame, const std::string& run) {
  if (frame.form_token.empty() || !frame.may_run) return copyable("stella pack runs resume --run " + run);
  return element("form", {{"method", "post"}, {"action", run_path(run) + "/resume"}}, token_field(frame),
                 element("button", {{"class", "main"}}, "Resume the run"));
}

Html banner(const Frame& frame, const RunView& view, const std::vector<graph::Step>& steps, const Json& gate) {
  const std::string id = text_of(gate, "gate", 300), state = text_of(gate, "state"),
                    run = text_of(view.summary, "runId");
  const bool open = state == "open";
  const std::string message = message_of(view, id), why = text_of(gate, "why", 600),
                    problem = text_of(gate, "problem", 600);
  const std::vector<std::string> may = texts(gate, "mayDecide"), have = texts(gate, "approvers");
  Html facts = fact("Releases", releases(view, steps, text_of(gate, "step")));
  facts += fact("Approvals", pips(number_of(gate, "have"), number_of(gate, "need")));
  facts += fact("Have approved", have.empty() ? "nobody yet" : joined(have));
  if (!open) facts += fact("Missing", missing(gate));
  if (!open) facts += fact("May approve", may.empty() ? "nobody else on the roster" : joined(may));
  if (!open) facts += fact("Time left", time_left(gate, view.now));
  facts += fact("Plan", element("code", {}, text_of(view.summary, "planHash")));
  Html text = element("h2", {{"id", "gate-" + id}}, shape(state), open ? " Gate is open: " : " Waiting at gate ",
                      element("span", {{"class", "id"}}, id));
  if (!message.empty()) text += element("p", {{"class", "message"}}, message);
  if (!why.empty()) text += element("p", {{"class", "notice bad"}}, why);
  if (!problem.empty()) text += element("p", {{"class", "notice bad"}}, problem);
  text += element("dl", {{"class", "facts"}}, facts);
  Html acts;
  if (open) {
    acts = resume(frame, run);
  } else {
    if (!frame.form_token.empty() && frame.may_approve)
      acts += element("form", {{"method", "post"}, {"action", run_path(run) + "/request"}}, token_field(frame),
                      element("input", {{"type", "hidden"}, {"name", "gate"}, {"value", id}}),
                      element("button", {}, "Download request"));
    acts += upload(frame, run, "response-" + text_of(gate, "step"));
  }
  return element("section",
                 {{"class", open ? "gate open" : "gate"},
                  {"aria-labelledby", "gate-" + id},
                  {"tabindex", "-1"},
                  {"data-gate", id}},
                 text, element("div", {{"class", "acts"}}, acts));
}

}  // namespace

std::vector<std::string> released_by(const std::vector<graph::Step>& steps, const std::string& gate_step) {
  std::unordered_set<std::string> reached{gate_step};
  std::vector<std::string> released;
  // Plan order keeps every need: one pass sees each step after what it needs.
  for (const graph::Step& step : steps) {
    const bool is_released = std::any_of(step.needs.begin(), step.needs.end(),
                                         [&](const std::string& need) { return reached.contains(need); });
    if (!is_released) continue;
    released.push_back(step.id);
    // What lies behind another gate is that one's to release.
    if (!step.kind.starts_with("gate.approval")) reached.insert(step.id);
  }
  return released;
}

Html gates(const Frame& frame, const RunView& view, const std::vector<graph::Step>& steps) {
  Html all;
  const std::string state = text_of(view.summary, "state");
  if (state != "waiting" && state != "paused") return all;
  std::size_t shown = 0;
  for (const Json& gate : list_of(view.summary, "gates")) {
    const bool is_asked = !text_of(gate, "expiresAt").empty() || text_of(gate, "state") == "open";
    if (!waits(text_of(gate, "state")) || !is_asked || ++shown > 10) continue;
    all += banner(frame, view, steps, gate);
  }
  if (shown > 10) all += element("p", {{"class", "notice"}}, fmt::format("{} more gates wait.", shown - 10));
  return all;
}

}  // namespace stella::page
