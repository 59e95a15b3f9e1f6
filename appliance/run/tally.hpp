// SPDX-License-Identifier: Apache-2.0
// How far a run is: how many of its steps are done, have failed, and may still come. Steps of work count (run steps and
// gates), groups and turns do not. What can no longer come leaves the total: the members of a group that was skipped,
// the turns that a loop did not need. About O(1) an event. One thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "appliance/plan/plan.hpp"
#include "appliance/run/progress.hpp"

namespace stella::run {

struct Record;

[[nodiscard]] bool is_counted(plan::Kind kind);

class StepTally {
 public:
  StepTally() = default;
  explicit StepTally(const plan::Plan& plan);  // nothing has begun

  // Takes in the steps that the record has got since; begins afresh from its progress when it has another plan.
  void follow(const Record& record);
  void take(const std::string& type, const std::string& step, const canon::Json& data);  // an event of this attempt
  void begin_attempt(const canon::Json& resumed);                                        // data of pack.run.resumed

  [[nodiscard]] std::size_t done() const noexcept { return done_; }
  [[nodiscard]] std::size_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t total() const noexcept { return total_; }
  [[nodiscard]] canon::Json json() const;  // {done, failed, total}: RunRow::detail's `steps`

 private:
  struct Entry {
    std::string parent;
    bool counted = false, left_out = false;
    StepState state = StepState::pending;
    std::vector<std::string_view> members;
  };
  void add(const plan::Step& step);
  void set(const std::string& id, StepState state);
  void count(const Entry& entry, int by);
  void leave_out_below(const Entry& group);
  void recount();

  const plan::Plan* plan_ = nullptr;
  std::size_t planned_ = 0, made_ = 0;
  std::size_t done_ = 0, failed_ = 0, total_ = 0;
  std::unordered_map<std::string, Entry> steps_;
  std::vector<std::string_view> order_;  // groups before their members
};

}  // namespace stella::run
