// SPDX-License-Identifier: Apache-2.0
// The chores of a home, done by exactly one of the processes that serve it: gates that ran out, the hourly prune,
// rounds of notifications. Whoever holds chores.lock of the home does them; the kernel gives it up when that process
// ends, however it ends, and the next one takes over within two seconds. What it started gets SIGTERM then. One thread.
#pragma once

#include "appliance/chores/list.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::chores {

// The chores themselves. Adding one is a line in keeper.cpp. Each is a verb in a process of its own, so that whoever
// serves the home serves on meanwhile.
[[nodiscard]] std::vector<Chore> chores_of(const files::Home& home);

class Keeper {
 public:
  Keeper(const files::Home& home, Trouble trouble) : Keeper(home, chores_of(home), std::move(trouble)) {}
  Keeper(const files::Home& home, std::vector<Chore> chores, Trouble trouble);
  // What is due, if this process is the one; called every second or so. A lock that cannot be opened is trouble, told
  // of once until it opens again.
  void turn(Moment now);
  [[nodiscard]] bool is_the_one() const noexcept { return bool(lock_); }

 private:
  void try_to_lock();
  std::string path_;
  Trouble trouble_;
  files::Fd lock_;
  bool is_told_ = false;
  Moment next_try_{};
  List list_;
};

}  // namespace stella::chores
