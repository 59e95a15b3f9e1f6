// SPDX-License-Identifier: Apache-2.0
// The report for people: one fact a line, foreign text made printable.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/escalation/report.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::escalation {
namespace {

using canon::Json;

std::string text_of(const Json& object, const char* name) {
  return canon::shown_in(object, name, 600);
}

std::string names_of(const Json& object, const char* name) {
  return fmt::format("{}", fmt::join(canon::all_shown_in(object, name), ", "));
}

class Lines {
 public:
  void add(std::string_view label, const std::string& value) {
    if (!value.empty()) all.push_back(fmt::format("{:<12} {}", label, value));
  }
  std::vector<std::string> all;
};

void add_head(Lines& lines, const Json& report) {
  const Json& pack = report.at("pack");
  lines.add("run", text_of(report, "runId"));
  lines.add("tenant", text_of(report, "tenant"));
  lines.add("pack", fmt::format("{}:{} {}", text_of(pack, "name"), text_of(pack, "version"), text_of(pack, "digest")));
  lines.add("plan hash", text_of(report, "planHash"));
  lines.add("asked by", text_of(report, "requestedBy"));
  lines.add("state",
            fmt::format("{} {} {}", text_of(report, "state"), text_of(report, "code"), text_of(report, "reason")));
  lines.add("message", text_of(report, "message"));
  for (const char* name : {"submitted", "started", "lastEvent", "ended"})
    lines.add(std::string_view(name) == "lastEvent" ? "last event" : name, text_of(report.at("times"), name));
  for (const Json& one : report.at("attempts"))
    lines.add(fmt::format("attempt {}", text_of(one, "attempt")),
              fmt::format("{} to {}, {}", text_of(one, "started"),
                          text_of(one, "ended").empty() ? "now" : text_of(one, "ended"), text_of(one, "state")));
}

void add_failing(Lines& lines, const Json& failing) {
  if (!failing.is_object()) return;
  lines.add("step", fmt::format("{} try {} {} {}", text_of(failing, "step"), text_of(failing, "try"),
                                text_of(failing, "state"), text_of(failing, "reason")));
  lines.add("", text_of(failing, "message"));
  for (const Json& line : failing.value("log", Json::array())) lines.add("  |", line.get<std::string>());
}

void add_gates(Lines& lines, const Json& gates) {
  for (const Json& gate : gates) {
    std::string says = fmt::format("{} {}: {} of {}", text_of(gate, "gate"), text_of(gate, "state"),
                                   text_of(gate, "have"), text_of(gate, "need"));
    if (const std::string who = names_of(gate, "approvers"); !who.empty()) says += fmt::format(" ({})", who);
    if (const std::string until = text_of(gate, "expiresAt"); !until.empty()) says += ", runs out " + until;
    lines.add("gate", says);
    lines.add("  missing", names_of(gate, "missingRoles"));
    lines.add("  may decide", names_of(gate, "mayDecide"));
  }
}

void add_blocked(Lines& lines, const Json& blocked) {
  for (const Json& one : blocked) {
    lines.add("blocked", fmt::format("{}: {} {} {} {} port {}, {} times", text_of(one, "step"), text_of(one, "program"),
                                     text_of(one, "protocol"), text_of(one, "host"), text_of(one, "address"),
                                     text_of(one, "port"), text_of(one, "count")));
    lines.add("  policy", text_of(one, "line"));
  }
}

void add_owner(Lines& lines, const Json& report) {
  const Json& owner = report.at("owner");
  std::vector<std::string> people;
  for (const Json& one : report.at("pack").at("maintainers"))
    people.push_back(fmt::format("{} <{}>", text_of(one, "name"), text_of(one, "email")));
  lines.add("kind", fmt::format("{}: {}", text_of(owner, "kind"), text_of(owner, "what")));
  lines.add("call first", text_of(owner, "primary"));
  lines.add("then", text_of(owner, "secondary"));
  lines.add("send", text_of(owner, "send"));
  lines.add("maintainers", fmt::format("{}", fmt::join(people, ", ")));
}

}  // namespace

std::vector<std::string> lines_of(const Json& report) {
  Lines lines;
  add_head(lines, report);
  add_failing(lines, report.at("failing"));
  add_blocked(lines, report.at("blocked"));
  add_gates(lines, report.at("gates"));
  if (const Json& evidence = report.at("evidence"); evidence.is_object())
    lines.add("evidence", fmt::format("{} {}{}", text_of(evidence, "bag"), text_of(evidence, "list"),
                                      text_of(evidence, "exported") == "true" ? " (exported)" : ""));
  lines.add("journal", fmt::format("{} events, head {}", text_of(report.at("journal"), "seq"),
                                   text_of(report.at("journal"), "head")));
  for (const Json& problem : report.at("problems"))
    lines.add("problem", canon::printable(problem.get<std::string>(), 600));
  add_owner(lines, report);
  lines.add("next", text_of(report, "next"));
  return std::move(lines.all);
}

}  // namespace stella::escalation
