// SPDX-License-Identifier: Apache-2.0
// Who may start when: the steps of a run as a graph with groups, turns and bounds. Pure bookkeeping, about O(log n) a
// step; it reads no journal, evaluates no expression and runs nothing. One thread.
//
// A step is ready when all it needs is done and its group is open, and when fewer members of the group than its bound
// have begun. A group that has nothing begun any more is settled: the runner then says how it ended (or, for a loop,
// lets the next turn in). Too many failures shut a group: nothing new starts in it, what runs goes on to its end.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "appliance/plan/plan.hpp"
#include "appliance/run/behind.hpp"
#include "appliance/run/progress.hpp"

namespace stella::run {

using Index = std::uint32_t;
inline constexpr Index kNone = 0xFFFFFFFF;
inline constexpr Index kMain = 0, kEnding = 1;  // the two outermost groups: the steps, and `finally`

[[nodiscard]] bool is_group(plan::Kind kind);  // item too

struct Node {
  enum class Phase : std::uint8_t { waiting, ready, begun, done };
  const plan::Step* step = nullptr;
  Index parent = kNone;
  std::vector<Index> members, dependants;
  std::vector<Index> held;  // members that could start if the bound let them; from held_from on
  std::size_t held_from = 0;
  std::uint32_t open_needs = 0;
  std::uint32_t begun = 0;   // members in the ready queues or running
  std::uint32_t failed = 0;  // members
  std::uint32_t done = 0;    // members
  Index cause = kNone;       // the step whose failure was the first to count, itself for a step
  Phase phase = Phase::waiting;
  StepState state = StepState::pending;
  bool is_open = false, is_shut = false;
  bool is_hard = false;         // a failure that nothing may go on after: a blocked attempt, a secret let out
  bool is_fresh = false;        // it, or a member, ran in this process
  bool is_tainted = false;      // something before it is fresh: what an earlier attempt left of it does not count
  std::int64_t changed_in = 0;  // the runner's number of the batch in which the last thing it needs ended
};

class Course {
 public:
  explicit Course(const Steps& steps);  // which stay where they are
  [[nodiscard]] Node& node(Index index) { return nodes_[index]; }
  [[nodiscard]] const Node& node(Index index) const { return nodes_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] Index find(const std::string& id) const;  // kNone: not known (yet)
  [[nodiscard]] bool has_ending() const { return !nodes_[kEnding].members.empty(); }

  // Adds turns that were made when their group began. The steps must stay where they are.
  void add(const std::vector<const plan::Step*>& made);
  // The group lets its members in; a loop lets them in one by one by admit_next().
  void open(Index group);
  bool admit_next(Index loop);  // false: there is no further turn

  void forget_need(Index index);  // of `finally`: the run's steps have ended, whatever became of them

  enum class Lane { free, taken };
  // What starts next, in plan order: groups, turns and policy gates at once, run steps where a lane is free.
  [[nodiscard]] std::optional<Index> next(Lane lane);
  [[nodiscard]] std::optional<Index> next_gate();  // an approval gate: to be asked for only when nothing else goes on
  void put_back(Index index);                      // what next() gave and could not be started
  void skip(Index index);                          // ends a step that nobody let in: a case that was not taken

  void end(Index index, StepState state);
  void shut(Index group);
  [[nodiscard]] bool is_shut(Index index) const;  // what it stands in starts nothing more
  [[nodiscard]] std::optional<Index> next_settled();
  [[nodiscard]] bool tolerates(const Node& group, std::uint32_t failed) const;
  // Groups that were shut by a failure and want their running members stopped too.
  [[nodiscard]] std::vector<Index> take_to_stop();
  [[nodiscard]] std::vector<Index> begun_below(Index group) const;  // run steps

  std::int64_t batch = 1;  // number of the runner's batch that is being filled

 private:
  Index insert(const plan::Step* step);
  void connect(Index index);
  void admit(Index index);
  void queue(Index index);
  void let_in(Index group);
  void unqueue(Index index);
  void settle_if_idle(Index group);
  void count_failure(Index group, Index member);

  std::deque<Node> nodes_;
  std::unordered_map<std::string_view, Index> by_id_;
  std::set<Index> controls_, runs_, gates_;
  std::deque<Index> settled_;
  std::vector<Index> to_stop_;
  plan::Step roots_[2];
};

}  // namespace stella::run
