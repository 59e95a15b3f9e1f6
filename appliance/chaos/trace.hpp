// SPDX-License-Identifier: Apache-2.0
// What the events of a run say in time: what took how long, what failed, was retried, blocked or printed. It grows with
// the steps of the run, not with its log. Pure; one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "appliance/chaos/injection.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::chaos {

struct Stretch {         // a try of a step, or the wait at a gate
  std::string id, type;  // type: run, map, loop, ..., or of a gate `gate`
  clock::Time from{}, to{};
  bool has_failed = false;
  [[nodiscard]] clock::Duration length() const { return to - from; }
};
struct Tick {  // something that happened once, how much of it
  clock::Time at{};
  std::int64_t amount = 1;
};

class Trace {
 public:
  void take(const journal::Event& event);  // in the journal's order

  [[nodiscard]] const std::vector<Stretch>& steps() const noexcept { return steps_; }  // that have ended
  [[nodiscard]] const std::vector<Stretch>& gates() const noexcept { return gates_; }  // that were decided
  [[nodiscard]] const std::vector<Tick>& retries() const noexcept { return retries_; }
  [[nodiscard]] const std::vector<Tick>& blocked() const noexcept { return blocked_; }
  [[nodiscard]] const std::vector<Tick>& logged() const noexcept { return logged_; }  // bytes
  [[nodiscard]] const std::vector<Injection>& injections() const noexcept { return injections_; }
  // When a pause that took hold was over: the run went on, or ended. Epoch: it is paused still, or took no hold.
  [[nodiscard]] clock::Time resumed_after(const Injection& pause) const;
  [[nodiscard]] clock::Time first() const noexcept { return first_; }
  [[nodiscard]] clock::Time last() const noexcept { return last_; }

 private:
  void take_step(const journal::Event& event);
  void take_gate(const journal::Event& event);
  void take_run(const journal::Event& event);

  std::map<std::string, Stretch> open_, waiting_;  // by step
  std::vector<Stretch> steps_, gates_;
  std::vector<Tick> retries_, blocked_, logged_;
  std::vector<Injection> injections_;
  std::map<std::int64_t, clock::Time> resumed_;  // by the number of the injection
  clock::Time first_{}, last_{};
};

}  // namespace stella::chaos
