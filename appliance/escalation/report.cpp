// SPDX-License-Identifier: Apache-2.0
#include "appliance/escalation/report.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "appliance/admission/admission.hpp"
#include "appliance/escalation/matrix.hpp"
#include "appliance/journal/event_types.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/logs/lines.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/escalation.hpp"

namespace stella::escalation {
namespace {

using canon::Json;

constexpr std::size_t kMostLines = 40, kMostLetters = 400;

struct Failing {
  std::string step;
  int number = 0;  // the try
  Json data = Json::object();
};

struct Course {
  Json submitted, started, last, ended, evidence, message;
  std::map<int, Json> attempts;
  std::map<std::string, Failing> tries;  // the last one of each step
  std::string failing;                   // the step that the run's end or pause names, else the last that failed
  std::string named;
};

bool is_end(const std::string& type) {
  return journal::ends_run(type) || type == "pack.run.paused";
}

void take_run_event(Course& course, const journal::Event& event, const std::string& at) {
  Json& attempt = course.attempts[event.attempt];
  if (attempt.is_null())
    attempt = {{"attempt", event.attempt}, {"started", at}, {"ended", Json()}, {"state", "running"}};
  if (event.type == "pack.run.submitted") course.submitted = at;
  if (event.type == "pack.run.started" && course.started.is_null()) course.started = at;
  if (event.type == "pack.run.resumed" || event.type == "pack.run.started") {
    course.message = Json();
    course.named.clear();
    course.ended = attempt["ended"] = Json();
    attempt["state"] = "running";
  }
  if (!is_end(event.type)) return;
  attempt["ended"] = at;
  attempt["state"] = event.type.substr(9);
  if (event.type != "pack.run.paused") course.ended = at;
  if (event.data.contains("message")) course.message = event.data.at("message");
  course.named = event.data.value("step", std::string());
}

void take(Course& course, const journal::Event& event) {
  const std::string at = clock::format_millis(event.at);
  course.last = at;
  if (event.type.starts_with("pack.run.")) take_run_event(course, event, at);
  if (event.type == "pack.step.started") {
    course.tries[event.step] = {event.step, event.data.value("try", 1), Json::object()};
  } else if (event.type == "pack.step.finished") {
    Failing& one = course.tries[event.step];
    one.step = event.step;
    one.data = event.data;
    const std::string state = event.data.value("state", std::string());
    if (state == "failed" || state == "unknown") course.failing = event.step;
  } else if (event.type == "pack.evidence.sealed") {
    course.evidence = {{"bag", event.data.value("bag", std::string())},
                       {"number", event.data.value("number", std::int64_t{0})},
                       {"list", event.data.value("list", std::string())}};
  }
}

Json failing_json(const journal::RunRow& row, const Course& course, Json& problems) {
  if (row.state == "succeeded") return {};
  const auto found = course.tries.find(course.named.empty() ? course.failing : course.named);
  if (found == course.tries.end()) return course.named.empty() ? Json() : Json({{"step", course.named}});
  const Failing& failing = found->second;
  Json object = {{"step", failing.step}, {"try", failing.number}, {"log", Json::array()}};
  for (const char* name : {"state", "reason", "message", "exit", "signal"})
    object[name] = failing.data.contains(name) ? failing.data.at(name) : Json();
  try {
    object["log"] = logs::last_lines({row.folder + "/logs", failing.step, failing.number}, kMostLines, kMostLetters);
  } catch (const fault::Error& error) {
    problems.push_back(error.what());
  }
  return object;
}

Json maintainers_of(const files::Home& home, const journal::RunRow& row, Json& problems) {
  Json people = Json::array();
  try {
    const auto looked = admission::look(home, {.pack = std::nullopt, .bundle = row.folder + "/bundle.pack"});
    for (const auto& one : looked.manifest.maintainers) people.push_back({{"name", one.name}, {"email", one.email}});
  } catch (const fault::Error& error) {
    problems.push_back(std::string("the pack cannot be read: ") + error.what());
  }
  return people;
}

Json waiting_gates(const Json& summary) {
  Json gates = Json::array();
  for (const Json& gate : summary.value("gates", Json::array()))
    if (gate.value("state", std::string()) != "passed" && gate.value("state", std::string()) != "pending")
      gates.push_back(gate);
  return gates;
}

// The site's own names, where its policy has some; a policy that cannot be read is just when somebody is called.
std::optional<site::Contacts> contacts_of(const files::Home& home, std::string_view kind) {
  try {
    const auto applied = site::load_applied(home);
    return applied ? site::contacts_of(applied->policy, kind) : std::nullopt;
  } catch (const fault::Error&) {
    return std::nullopt;
  }
}

Json owner_json(const files::Home& home, const journal::RunRow& row) {
  const Owner& owner = owner_of(row.code, row.reason);
  const auto contacts = contacts_of(home, owner.kind);
  const std::string secondary(contacts && !contacts->secondary.empty() ? contacts->secondary : owner.secondary);
  return {{"kind", owner.kind},
          {"what", owner.what},
          {"primary", contacts ? contacts->primary : std::string(owner.primary)},
          {"secondary", secondary},
          {"named", contacts ? "policy" : "default"},
          {"send", owner.send}};
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Json report(const files::Home& home, const journal::Journal& journal, const journal::RunRow& row, const Json& summary) {
  Course course;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) { take(course, event); });
  Json problems = summary.value("problems", Json::array()), attempts = Json::array();
  for (const auto& one : course.attempts) attempts.push_back(one.second);
  if (course.evidence.is_object()) course.evidence["exported"] = summary.value("exported", false);
  const Json failing = failing_json(row, course, problems);
  const journal::Head head = journal.head(row.id);
  Json object = {{"runId", row.id},
                 {"tenant", row.tenant},
                 {"planHash", row.plan_hash},
                 {"requestedBy", row.requested_by},
                 {"state", row.state},
                 {"code", text_or_null(row.code)},
                 {"reason", text_or_null(row.reason)},
                 {"message", course.message},
                 {"attempt", row.attempt},
                 {"attempts", attempts},
                 {"failing", failing},
                 {"blocked", summary.value("blocked", Json::array())},
                 {"gates", waiting_gates(summary)},
                 {"evidence", course.evidence},
                 {"journal", {{"seq", head.seq}, {"head", head.hash}}},
                 {"owner", owner_json(home, row)},
                 {"next", summary.value("next", Json())}};
  object["pack"] = {{"name", row.pack},
                    {"version", row.version},
                    {"digest", row.pack_digest},
                    {"maintainers", maintainers_of(home, row, problems)}};
  object["times"] = {{"submitted", course.submitted},
                     {"started", course.started},
                     {"lastEvent", course.last},
                     {"ended", course.ended}};
  object["problems"] = problems;
  return object;
}

std::string without_secret_ends(const journal::Event& event) {
  if (!event.data.is_object() || !event.data.contains(journal::kSecretEnd)) return event.line;
  Json object = canon::parse_json(event.line, fault::Code::journal_tampered, event.run);
  object["data"].erase(journal::kSecretEnd);
  return canon::canonical(object);
}

}  // namespace stella::escalation
