// SPDX-License-Identifier: Apache-2.0
// What the events of a run say about its steps and gates. Pure; any thread.
//
// A run's attempt is the `attempt` of its events. A step's `try` counts its starts over the whole run, so that
// logs/<step>.<try>.log is never written twice. A new attempt starts with the steps that `pack.run.resumed` names as
// reused.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "appliance/chaos/injection.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/clock/time.hpp"

namespace stella::run {

// continued: it failed and the pack says continueOnError. unknown: it was in flight when its runner ended.
enum class StepState { pending, running, succeeded, continued, failed, skipped, unknown };
[[nodiscard]] std::string name_of(StepState state);
[[nodiscard]] bool is_done(StepState state);  // what follows it may start

// An id as a word of a command line: a turn's has brackets, which a shell reads.
[[nodiscard]] std::string shell_word(const std::string& id);

struct StepProgress {
  StepState state = StepState::pending;
  int tries = 0;      // starts so far, over all attempts
  int tries_now = 0;  // starts in this attempt, for retries
  int exit_status = 0;
  std::string reason;  // of a failure: exit, signal, timeout, network, secret-in-output, ...
  canon::Json outputs = canon::Json::object();
  std::string digest;                            // of the plan's node when it was started: what "the same step" means
  std::string log, log_digest;                   // of the last try: relative path and sha256:HEX; empty: none
  std::string message;                           // of a failure, for people
  canon::Json artifacts = canon::Json::array();  // that it declared and left: {name, path, sha256, bytes}
  std::int64_t ended_seq = 0;                    // of its end in the journal
  std::string kind;                              // of a group or gate as pack.yaml writes it; empty: a run step
  canon::Json decided = canon::Json::object();   // of a group: {case} or {turns, items?}, as its start said
  clock::Time started_at{}, ended_at{};          // of the last try; epoch: not yet
};

struct GateProgress {
  std::string step;              // the step that holds the gate
  std::int64_t waiting_seq = 0;  // of the last pack.gate.waiting in this attempt; 0: it does not wait yet
  std::string waiting_head;      // hash of that event's line
  std::optional<clock::Time> expires_at;
  bool approved = false;  // pack.gate.approved was seen: a cache, never a proof
};

struct Blocked {  // one row of the results' `blocked`
  std::string step, program, protocol, host, address, first;
  std::string line;  // what the policy would have to say
  int port = 0;
  std::int64_t count = 0;
};

struct Progress {
  int attempt = 1;
  std::map<std::string, StepProgress> steps;
  std::map<std::string, GateProgress> gates;  // by the approval's id
  std::vector<Blocked> blocked;               // of this attempt
  std::vector<std::string> requesters;  // who submitted, resumed or extended, and who is behind their token; each once
  canon::Json via;                      // by what it was asked for last (journal/via.hpp)
  std::vector<chaos::Injection> chaos;  // hooks, in the journal's order, of all attempts
  std::string asked_hash;               // --plan-hash of the submission, empty when none was given
  std::string plan_hash;                // that the journal named last
  std::string bag;                      // name of this attempt's evidence bag, empty: not sealed
  bool planned = false, started = false;  // in this attempt
  bool artifacts_removed = false;         // what the steps of this attempt left was removed by its age
  bool has_ending = false;                // it was started with `finally` steps
  // The run has been decided and only its `finally` steps are to come: {state, code, reason, message, step?, ...}.
  canon::Json owed;
  canon::Json results = canon::Json::object();  // {name: value, or {path, sha256, bytes}} of a run that succeeded
  [[nodiscard]] const StepProgress& step(const std::string& id) const;  // pending when nothing is known
  [[nodiscard]] canon::Json outputs() const;  // {step: {name: value}} of every step that is done
  [[nodiscard]] std::vector<std::string> done() const;
};

void apply(Progress& progress, const journal::Event& event);
// The part of apply() that must know where in the journal the event stands.
void apply_place(Progress& progress, const journal::Event& event);
[[nodiscard]] Progress progress_of(std::span<const journal::Event> events);

}  // namespace stella::run
