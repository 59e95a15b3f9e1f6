// SPDX-License-Identifier: Apache-2.0
// One runner's way through a run: it alone decides and writes the journal; lanes run the steps. Each turn of its loop
// takes in all that happened, starts all that may start, and makes both durable in one commit: the end of a step before
// anything that needs it starts, the start of a step before it runs (but for steps that may be run again after a crash,
// whose starts may be told a moment later). One thread; the caller holds the run's lock.
#pragma once

#include <map>
#include <set>

#include "appliance/run/lanes.hpp"
#include "appliance/run/stop.hpp"

namespace stella::run {

class Walk {
 public:
  explicit Walk(Live& live);
  [[nodiscard]] Outcome run();

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Timer {
    enum class Kind { retry, turn, deadline };
    Kind kind;
    Index node;
  };

  // walk.cpp: the loop
  void advance();
  void flush();
  void commit();
  void listen();
  void hear(Message& message);
  void fire_timers();
  [[nodiscard]] std::optional<Outcome> look_around();
  [[nodiscard]] std::optional<Outcome> end_phase();
  [[nodiscard]] bool is_held_back() const { return stop_ != Stop::none || pausing_ || fatal_; }
  [[nodiscard]] bool has_free_lane() const;
  void look_for_stop();
  void look_for_chaos();
  [[nodiscard]] bool holds_for_chaos(Index index);

  // walk_ends.cpp: how it ends
  [[nodiscard]] std::optional<Outcome> stopped();
  [[nodiscard]] Outcome finish_owed();
  [[nodiscard]] std::optional<Outcome> take_gate(Index index);
  void begin_ending();

  // walk_steps.cpp: one step
  void begin(Index index);
  void begin_kind(Index index);
  [[nodiscard]] bool restore(Index index);
  [[nodiscard]] bool restore_failed(Index index, const StepProgress& before);
  void begin_run(Index index);
  void judge_policy(Index index);
  void skip(Index index);
  void fail_at_once(Index index, const fault::Error& error);
  void ended(Index index);
  void retry_later(Index index);
  void hold_back(const fault::Error& error);
  [[nodiscard]] bool waits_for_commit(Index index) const;

  // walk_groups.cpp: groups
  void begin_group(Index index, const canon::Json* decided);
  [[nodiscard]] canon::Json decide_turns(Index index, const canon::Json* decided);
  [[nodiscard]] canon::Json decide_case(Index index, const canon::Json* decided);
  void leave_other_cases(Index index, int taken);
  void settle(Index index);
  void settle_loop(Index index);
  void finish_group(Index index, StepState state, const std::string& reason, const std::string& message);
  void fail_group(Index index);
  void halt_below(Index group);
  void end_shut_retries();

  Live& live_;
  Course course_;
  Lanes lanes_;
  std::vector<std::unique_ptr<Tryout>> launches_;  // prepared; they start with the next flush
  bool must_commit_ = false;                       // something of `launches_` may not start before a commit
  std::optional<Instant> oldest_;                  // when the first event of the batch was added
  std::multimap<Instant, Timer> timers_;
  std::set<Index> timed_out_;
  Stop stop_ = Stop::none;
  Instant looked_{};
  std::optional<fault::Error> pausing_, fatal_, main_error_;
  std::string main_step_;
  Index phase_ = kMain;
  bool is_over_ = false;    // the phase
  bool has_ended_ = false;  // a step, in this batch
  bool has_part_ = false;   // a stretch of a log, in this batch
};

// Errors that a person mends and that then let the same attempt go on.
[[nodiscard]] bool is_pause(const fault::Error& error);
[[nodiscard]] fault::Error step_error(Live& live, const plan::Step& step);
[[nodiscard]] fault::Error interrupted_error(Live& live, const std::vector<std::string>& in_flight);

}  // namespace stella::run
