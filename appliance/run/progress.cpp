// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/progress.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "appliance/journal/via.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/members.hpp"

namespace stella::run {
namespace {

using canon::Json;

constexpr std::array kNames = {"pending", "running", "succeeded", "continued", "failed", "skipped", "unknown"};

StepState state_named(const std::string& name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? StepState::unknown : static_cast<StepState>(found - kNames.begin());
}

void add_requesters(Progress& progress, const journal::Event& event) {
  auto& all = progress.requesters;
  const auto via = event.data.find("via");
  progress.via = via != event.data.end() ? *via : Json();
  for (std::string& one : journal::askers_in(event))
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
}

void begin_attempt(Progress& progress, const journal::Event& event) {
  std::set<std::string> reused;
  if (const auto found = event.data.find("reused"); found != event.data.end() && found->is_array()) {
    for (const Json& id : *found) reused.insert(id.is_string() ? id.get<std::string>() : std::string());
  }
  progress.attempt = event.attempt;
  progress.started = progress.artifacts_removed = false;
  progress.owed = Json();
  progress.bag.clear();
  progress.gates.clear();
  progress.blocked.clear();
  for (auto& [id, step] : progress.steps) {
    step.tries_now = 0;
    if (reused.contains(id)) continue;
    const int tries = step.tries;
    step = StepProgress();
    step.tries = tries;
  }
}

void finish_step(StepProgress& step, const journal::Event& event) {
  const Json& data = event.data;
  step.state = state_named(canon::text_in(data, "state"));
  step.ended_at = event.at;
  step.ended_seq = event.seq;
  step.artifacts = data.value("artifacts", Json::array());
  step.message = canon::text_in(data, "message");
  if (const std::string kind = canon::text_in(data, "kind"); !kind.empty()) step.kind = kind;
  step.reason = canon::text_in(data, "reason");
  step.exit_status = static_cast<int>(canon::integer_in(data, "exit"));
  step.log = canon::text_in(data, "log");
  step.log_digest = canon::text_in(data, "logSha256");
  if (const std::string digest = canon::text_in(data, "digest"); !digest.empty()) step.digest = digest;
  const auto outputs = data.find("outputs");
  step.outputs = outputs != data.end() && outputs->is_object() ? *outputs : Json::object();
}

void take_results(Progress& progress, const Json& data) {
  progress.results = data.value("values", Json::object());
  for (const Json& file : data.value("outputs", Json::array()))
    progress.results[canon::text_in(file, "name")] = {
        {"path", file.at("path")}, {"sha256", file.at("sha256")}, {"bytes", file.at("bytes")}};
}

void start_step(StepProgress& step, const journal::Event& event) {
  const Json& data = event.data;
  step.state = StepState::running;
  step.started_at = event.at;
  step.ended_at = {};
  step.reason.clear();
  step.message.clear();
  step.kind = canon::text_in(data, "kind");
  step.decided = Json::object();
  for (const char* name : {"case", "turns", "items"}) {
    if (const auto found = data.find(name); found != data.end()) step.decided[name] = *found;
  }
  step.tries = static_cast<int>(std::max<std::int64_t>(step.tries + 1, canon::integer_in(data, "try")));
  ++step.tries_now;
  step.digest = canon::text_in(data, "digest");
}

void wait_at_gate(Progress& progress, const journal::Event& event) {
  GateProgress& gate = progress.gates[canon::text_in(event.data, "gate")];
  gate.step = event.step;
  gate.waiting_seq = event.seq;
  gate.waiting_head = canon::sha256(event.line).hex();
  gate.approved = false;
  gate.expires_at =
      clock::parse_time(canon::text_in(event.data, "expiresAt"), fault::Code::journal_tampered, event.run);
}

void apply_to_step(Progress& progress, const journal::Event& event) {
  StepProgress& step = progress.steps[event.step];
  if (event.type == "pack.step.started") start_step(step, event);
  if (event.type == "pack.step.finished") finish_step(step, event);
  if (event.type == "pack.step.retried") step.state = StepState::pending;
  if (event.type == "pack.step.skipped") {
    step.state = StepState::skipped;
    step.ended_at = event.at;
    step.digest = canon::text_in(event.data, "digest");
  }
}

void apply_to_network(Progress& progress, const journal::Event& event) {
  const Json& data = event.data;
  progress.blocked.push_back({.step = event.step,
                              .program = canon::text_in(data, "program"),
                              .protocol = canon::text_in(data, "protocol"),
                              .host = canon::text_in(data, "host"),
                              .address = canon::text_in(data, "address"),
                              .first = canon::text_in(data, "first"),
                              .line = canon::text_in(data, "line"),
                              .port = static_cast<int>(canon::integer_in(data, "port")),
                              .count = canon::integer_in(data, "count")});
}

// One pause is enough for all that asked for it until then: of the run, or before this step.
void spend_pauses(Progress& progress, const std::string& step) {
  for (chaos::Injection& one : progress.chaos) {
    if (one.hook == chaos::Hook::pause && (one.step.empty() || one.step == step)) one.is_spent = true;
  }
}

void apply_to_run(Progress& progress, const journal::Event& event) {
  if (const std::string hash = canon::text_in(event.data, "planHash"); !hash.empty()) progress.plan_hash = hash;
  if (event.type == "pack.run.submitted") progress.asked_hash = canon::text_in(event.data, "askedHash");
  if (event.type == "pack.run.submitted" || event.type == "pack.run.resumed") add_requesters(progress, event);
  if (event.type == "pack.run.succeeded") take_results(progress, event.data);
  if (event.type == "pack.run.planned") progress.planned = true;
  if (event.type == "pack.run.started") {
    progress.started = true;
    const auto ending = event.data.find("finally");
    progress.has_ending = ending != event.data.end() && *ending == true;
  }
  if (event.type == "pack.run.paused") {
    if (canon::text_in(event.data, "code") == "ERR_PACK_CHAOS_PAUSED")
      spend_pauses(progress, canon::text_in(event.data, "step"));
    if (const auto owed = event.data.find("owed"); owed != event.data.end()) progress.owed = *owed;
  }
}

}  // namespace

std::string name_of(StepState state) {
  return kNames[static_cast<std::size_t>(state)];
}

std::string shell_word(const std::string& id) {
  return id.find('[') == std::string::npos ? id : "'" + id + "'";
}

bool is_done(StepState state) {
  return state == StepState::succeeded || state == StepState::continued || state == StepState::skipped;
}

const StepProgress& Progress::step(const std::string& id) const {
  static const StepProgress kPending;
  const auto found = steps.find(id);
  return found == steps.end() ? kPending : found->second;
}

Json Progress::outputs() const {
  Json all = Json::object();
  for (const auto& [id, step] : steps) {
    if (is_done(step.state) && !step.outputs.empty()) all[id] = step.outputs;
  }
  return all;
}

std::vector<std::string> Progress::done() const {
  std::vector<std::string> ids;
  for (const auto& [id, step] : steps) {
    if (is_done(step.state)) ids.push_back(id);
  }
  return ids;
}

void apply(Progress& progress, const journal::Event& event) {
  if (event.attempt > progress.attempt) begin_attempt(progress, event);
  if (event.type.starts_with("pack.run.")) apply_to_run(progress, event);
  if (event.type.starts_with("pack.step.") && !event.step.empty()) apply_to_step(progress, event);
  if (event.type == "pack.network.blocked") apply_to_network(progress, event);
  if (event.type == chaos::kEvent)
    progress.chaos.push_back(chaos::parse_injection(event.data, event.seq, event.at, event.run));
  if (event.type == "pack.gate.approved") progress.gates[canon::text_in(event.data, "gate")].approved = true;
  if (event.type == "pack.artifacts.removed") progress.artifacts_removed = true;
  if (event.type == "pack.evidence.sealed") progress.bag = canon::text_in(event.data, "bag");
  if (event.seq > 0) apply_place(progress, event);
}

void apply_place(Progress& progress, const journal::Event& event) {
  if (event.type != "pack.gate.waiting") return;
  wait_at_gate(progress, event);
  if (event.data.contains("by")) add_requesters(progress, event);
}

Progress progress_of(std::span<const journal::Event> events) {
  Progress progress;
  for (const journal::Event& event : events) apply(progress, event);
  return progress;
}

}  // namespace stella::run
