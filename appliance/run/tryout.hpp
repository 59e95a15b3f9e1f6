// SPDX-License-Identifier: Apache-2.0
// One try of one run step in three parts: prepared and concluded by the thread that owns the run, performed in a lane.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "appliance/run/capture.hpp"
#include "appliance/run/course.hpp"
#include "appliance/run/live.hpp"

namespace stella::run {

struct Leases {
  std::vector<lease::Leased> held;
  std::vector<redaction::Value> values;  // point into `held`
  [[nodiscard]] std::vector<journal::NewEvent> events(const std::string& type, const std::string& step) const;
};

struct Verdict {
  std::string state, reason, message;
  canon::Json outputs = canon::Json::object();
  canon::Json artifacts = canon::Json::array();  // that the step declares: {name, path, sha256, bytes}
};

// halted: the group it stands in has failed or run out of time. run: the whole run is to stop.
enum class Halt { none, group, run };

struct Tryout {
  const plan::Step* step = nullptr;
  Index node = kNone;
  int number = 1;
  std::string folder, log_name;
  logs::Writer* logs = nullptr;
  Leases leases;
  sandbox::Spec spec;
  std::atomic<Halt> halt{Halt::none};
  std::atomic<bool> is_cut{false};  // a chaos hook takes its network away
  // what the lane found
  sandbox::Result result;
  Verdict verdict;
  Capture::Log log;
  std::optional<fault::Error> error;  // the runner itself could not go on: nobody knows how far the step came
};

// Leases what the step needs and adds its start to the journal's batch. Throws what keeps the step from being tried at
// all: ERR_PACK_SECRET_MISSING, ERR_VAULT_*; ERR_PACK_STEP_FAILED reason `expression`.
[[nodiscard]] std::unique_ptr<Tryout> prepare(Live& live, const plan::Step& step, Index node);
// Runs it, in any thread. Does not throw.
void perform(Tryout& tryout, const Tools& tools, Sink& sink) noexcept;
// Adds its end to the batch.
void conclude(Live& live, const Tryout& tryout);
// Its start was added and it was never performed.
void take_back(Live& live, const Tryout& tryout, const fault::Error& error);

// A start that may be told to the journal after the fact: running the step again is harmless.
[[nodiscard]] inline bool may_be_late(const plan::Step& step) {
  return step.on_crash == plan::OnCrash::rerun && step.secrets.empty();
}
// A failure that nothing may go on after.
[[nodiscard]] inline bool is_hard(const std::string& reason) {
  return reason == "network" || reason == "secret-in-output";
}

// Whether the pack wants another try after the last failure, and how long to wait before it.
[[nodiscard]] bool wants_retry(const plan::Retries& retries, const StepProgress& failed);
[[nodiscard]] std::chrono::milliseconds delay_before(const plan::Retries& retries, int next_try);

}  // namespace stella::run
