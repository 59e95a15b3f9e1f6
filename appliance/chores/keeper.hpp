// SPDX-License-Identifier: Apache-2.0
// The chores of a home, done by exactly one of the processes that serve it: gates that ran out, the hourly prune,
// rounds of notifications. Whoever holds chores.lock of the home does them; the kernel gives it up when that process
// ends, however it ends, and the next one takes over within two seconds. One thread.
#pragma once

#include "appliance/chores/list.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::chores {

// The chores themselves. Adding one is a line in keeper.cpp.
[[nodiscard]] std::vector<Chore> chores_of(const files::Home& home, const clock::Clock& clock);

class Keeper {
 public:
  // `clock` outlives it.
  Keeper(const files::Home& home, const clock::Clock& clock, Trouble trouble)
      : Keeper(home, chores_of(home, clock), std::move(trouble)) {}
  Keeper(const files::Home& home, std::vector<Chore> chores, Trouble trouble);
  void turn(Moment now);  // what is due, if this process is the one; called every second or so
  [[nodiscard]] bool is_the_one() const noexcept { return bool(lock_); }

 private:
  std::string path_;
  files::Fd lock_;
  Moment next_try_{};
  List list_;
};

}  // namespace stella::chores
