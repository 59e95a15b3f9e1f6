// SPDX-License-Identifier: Apache-2.0
// The journal of a run in words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "appliance/page/run.hpp"

#include "appliance/journal/via.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::element;

std::string after(const std::string& before, const std::string& text) {
  return text.empty() ? std::string() : before + text;
}

std::string step_told(const std::string& verb, const Json& data) {
  if (verb == "started")
    return fmt::format("started{}",
                       number_of(data, "try") > 1 ? fmt::format(", try {}", number_of(data, "try")) : std::string());
  if (verb == "skipped") return "skipped" + after(": ", text_of(data, "reason", 200));
  if (verb == "retried") return "will be tried again" + after(": ", text_of(data, "reason", 200));
  if (verb == "output") return fmt::format("printed {} bytes", number_of(data, "bytes"));
  if (verb != "finished") return verb;
  std::string text = text_of(data, "state", 40);
  const std::string reason = text_of(data, "reason", 100), message = text_of(data, "message", 300);
  if (reason == "exit") {
    text += fmt::format(", exit {}", number_of(data, "exit"));
  } else {
    text += after(", ", reason);
  }
  return text + after(": ", message);
}

std::string via_told(const Json& data) {
  return after(", by ", journal::via_text(list_of(data, "via")));
}

std::string run_told(const std::string& verb, const Json& data) {
  if (verb == "submitted") return fmt::format("Submitted by {}{}", text_of(data, "by", 200), via_told(data));
  if (verb == "planned") return "Planned as " + text_of(data, "planHash", 80);
  if (verb == "resumed")
    return fmt::format("Resumed by {}{}{}", text_of(data, "by", 200), via_told(data),
                       after(" from ", text_of(data, "from", 40)));
  std::string text = verb;
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + after(": ", text_of(data, "code", 80)) + after(" ", text_of(data, "message", 300)) +
         after(", by ", text_of(data, "by", 200)) + via_told(data);
}

std::string gate_told(const std::string& verb, const Json& data) {
  const std::string gate = text_of(data, "gate", 200);
  if (verb == "waiting")
    return fmt::format("Gate {} waits for {} approvals{}", gate, number_of(data, "threshold"),
                       after(" until ", text_of(data, "expiresAt", 40)));
  return fmt::format("Gate {} {}", gate, verb) + after(" by ", text_of(data, "by", 300));
}

std::string network_told(const std::string& verb, const Json& data) {
  return fmt::format("{} {} {} {}{}:{}, {} times",
                     verb == "blocked" ? "Blocked:" : "Let through:", text_of(data, "program", 200),
                     text_of(data, "protocol", 40), text_of(data, "host", 200),
                     after(" ", text_of(data, "address", 80)), text_of(data, "port"), number_of(data, "count"));
}

// Members that say something to a person, for events that have no sentence of their own.
std::string members_told(const Json& data) {
  std::string text;
  if (!data.is_object()) return text;
  for (const auto& [name, value] : data.items()) {
    if (text.size() > 300) break;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, text_of(data, name.c_str(), 120));
  }
  return text;
}

std::string tone(const std::string& type, const Json& data) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 13> kTones = {{{"pack.chaos.injected", "chaos"},
                                                                                       {"pack.network.blocked", "bad"},
                                                                                       {"pack.run.failed", "bad"},
                                                                                       {"pack.run.expired", "bad"},
                                                                                       {"pack.gate.rejected", "bad"},
                                                                                       {"pack.gate.expired", "bad"},
                                                                                       {"pack.approval.refused", "bad"},
                                                                                       {"pack.run.succeeded", "good"},
                                                                                       {"pack.gate.approved", "good"},
                                                                                       {"pack.evidence.sealed", "good"},
                                                                                       {"pack.gate.waiting", "wait"},
                                                                                       {"pack.run.paused", "pause"},
                                                                                       {"pack.run.cancelled", "skip"}}};
  for (const auto& [name, value] : kTones) {
    if (name == type) return value;
  }
  if (type == "pack.step.finished") return tone_of(text_of(data, "state"));
  return "plain";
}

Html row(const RunView& view, const Json& event) {
  const std::string step = text_of(event, "step"), type = text_of(event, "type", 80);
  Html text;
  if (!step.empty())
    text += element("a", {{"class", "id"}, {"href", log_link(text_of(view.summary, "runId"), step, 0, 0)}},
                    text_of(event, "step", 200)) +
            " ";
  text += told(event);
  return element("li", {{"class", "event " + tone(type, list_of(event, "data"))}, {"data-key", text_of(event, "seq")}},
                 element("span", {{"class", "n"}}, text_of(event, "seq")), moment(text_of(event, "at")),
                 element("span", {{"class", "what"}}, text), element("code", {{"class", "type"}}, type));
}

}  // namespace

std::string told(const Json& event) {
  const std::string type = text_of(event, "type", 80);
  const Json& data = list_of(event, "data");
  const auto rest = [&](std::string_view prefix) {
    return type.starts_with(prefix) ? type.substr(prefix.size()) : std::string();
  };
  if (const std::string verb = rest("pack.step."); !verb.empty()) return step_told(verb, data);
  if (const std::string verb = rest("pack.run."); !verb.empty()) return run_told(verb, data);
  if (const std::string verb = rest("pack.gate."); !verb.empty()) return gate_told(verb, data);
  if (const std::string verb = rest("pack.network."); !verb.empty()) return network_told(verb, data);
  if (type == "pack.chaos.injected") return "Chaos: " + members_told(data);
  if (type == "pack.evidence.sealed") return "Evidence sealed as " + text_of(data, "bag", 200);
  return members_told(data);
}

Html timeline_part(const RunView& view) {
  Html rows;
  for (auto event = view.events.rbegin(); event != view.events.rend(); ++event) rows += row(view, *event);
  const std::string run = run_path(text_of(view.summary, "runId"));
  Html text = element("h2", {{"id", "timeline-title"}}, "Timeline") + element("ol", {{"class", "events"}}, rows);
  if (view.events_before > 0)
    text += element("p", {{"class", "pages"}},
                    element("a", {{"href", fmt::format("{}?events={}#timeline", run, view.events_before)}},
                            fmt::format("{} earlier events", view.events_before)));
  return element("section", {{"id", "timeline"}, {"class", "part"}, {"aria-labelledby", "timeline-title"}}, text);
}

}  // namespace stella::page
