// SPDX-License-Identifier: Apache-2.0
// Starts this very binary again (/proc/self/exe): a runner that goes on by itself, a verb that a service does for
// somebody. Any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace stella::respawn {

struct Placed {
  int from, to;  // the copy has `from` of this process as its `to`
};
struct Start {
  std::vector<std::string> arguments;                   // without argv[0]
  std::vector<Placed> descriptors;                      // every other one is closed; 0, 1 and 2 must be placed
  std::optional<std::vector<std::string>> environment;  // NAME=value; absent: as here
  std::string folder;                                   // its current folder; empty: as here
  bool own_session = false;                             // no terminal, and no hang-up when the one of this process goes
  int signal_at_my_end = 0;  // sent to it when the thread that started it ends; 0: it goes on
};
// The child's pid; it is reaped by whoever calls wait. Signals are as a login gives them. ERR_INTERNAL, reason `spawn`,
// with the stage that failed: nothing runs then.
[[nodiscard]] pid_t start(const Start& wish);

}  // namespace stella::respawn
