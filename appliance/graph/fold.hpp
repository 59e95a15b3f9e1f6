// SPDX-License-Identifier: Apache-2.0
// What of a run's steps is shown when not all can be: groups with more than 50 members become their counts and the few
// members somebody wants to see. Pure, O(n log n); any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace stella::graph {

struct Step {
  std::string id, parent;               // parent empty: top level
  std::string kind;                     // run, gate.approval, gate.policy, parallel, map, loop, conditional, item
  std::string state;                    // as run::name_of gives it; `planned` for what only a turn will bring
  std::vector<std::string> needs = {};  // siblings
  std::string detail = {};              // a short line beneath the name
};

struct Counts {
  std::size_t all = 0, done = 0, failed = 0, running = 0;
};

// A step, or a stretch of siblings that are shown as their counts.
struct Entry {
  const Step* step = nullptr;  // null: a stretch
  Counts counts;               // of a group's members, or of the stretch
  std::vector<Entry> members = {};
  std::size_t first = 0;                    // of a stretch: its first member's number among its siblings, from 0
  std::vector<const Step*> stretched = {};  // the steps of a stretch
  bool folded = false;                      // a group whose members are not shown
  [[nodiscard]] bool is_group() const { return step != nullptr && (folded || !members.empty()); }
};

struct Limits {
  std::size_t group = 50;     // members of a group that are all shown
  std::size_t entries = 400;  // shown at all; groups that do not fit are folded
};

// The top level. `steps` is in plan order with groups before their members, and outlives the result. A step whose
// parent is not known is left out.
[[nodiscard]] Entry fold(const std::vector<Step>& steps, const Limits& limits);
[[nodiscard]] inline Entry fold(const std::vector<Step>& steps) {
  return fold(steps, Limits());
}

[[nodiscard]] bool is_done(const std::string& state);
[[nodiscard]] bool stands_out(const std::string& state);  // failed, running, waiting, unknown, rejected

}  // namespace stella::graph
