// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/course.hpp"

#include <algorithm>

namespace stella::run {

using Phase = Node::Phase;

bool is_group(plan::Kind kind) {
  switch (kind) {
    case plan::Kind::parallel:
    case plan::Kind::map:
    case plan::Kind::loop:
    case plan::Kind::conditional:
    case plan::Kind::item:
      return true;
    default:
      return false;
  }
}

Course::Course(const Steps& steps) {
  for (plan::Step& root : roots_) {
    root.kind = plan::Kind::parallel;
    nodes_.push_back({});
    nodes_.back().step = &root;
  }
  for (const plan::Step* step : steps) insert(step);
  for (Index index = 2; index < nodes_.size(); ++index) connect(index);
}

Index Course::find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNone : found->second;
}

Index Course::insert(const plan::Step* step) {
  const auto index = static_cast<Index>(nodes_.size());
  nodes_.push_back({});
  nodes_.back().step = step;
  by_id_.emplace(step->id, index);
  return index;
}

void Course::connect(Index index) {
  Node& node = nodes_[index];
  const plan::Step& step = *node.step;
  node.parent = step.parent.empty() ? (step.at_end ? kEnding : kMain) : find(step.parent);
  nodes_[node.parent].members.push_back(index);
  for (const std::string& need : step.needs) {
    const Index before = find(need);
    if (before == kNone) continue;  // a plan names siblings only; make() has checked
    nodes_[before].dependants.push_back(index);
    if (!is_done(nodes_[before].state)) ++node.open_needs;
  }
}

void Course::add(const std::vector<const plan::Step*>& made) {
  const auto first = static_cast<Index>(nodes_.size());
  for (const plan::Step* step : made) insert(step);
  for (Index index = first; index < nodes_.size(); ++index) connect(index);
}

void Course::open(Index group) {
  Node& node = nodes_[group];
  node.phase = Phase::begun;
  node.is_open = true;
  if (node.step->kind != plan::Kind::loop) {
    for (std::size_t i = 0; i < nodes_[group].members.size(); ++i) {
      const Index member = nodes_[group].members[i];
      if (nodes_[member].open_needs == 0) admit(member);
    }
  }
  settle_if_idle(group);
}

void Course::forget_need(Index index) {
  Node& node = nodes_[index];
  if (node.open_needs > 0) --node.open_needs;
}

bool Course::admit_next(Index loop) {
  Node& node = nodes_[loop];
  if (node.is_shut) return false;
  const auto found = std::find_if(node.members.begin() + static_cast<std::ptrdiff_t>(node.done), node.members.end(),
                                  [&](Index member) { return nodes_[member].phase == Phase::waiting; });
  if (found == node.members.end()) return false;
  nodes_[*found].is_tainted = node.is_tainted || node.is_fresh;
  ++node.begun;
  queue(*found);
  return true;
}

void Course::admit(Index index) {
  Node& node = nodes_[index];
  Node& parent = nodes_[node.parent];
  if (!parent.is_open || parent.is_shut || node.phase != Phase::waiting || parent.phase == Phase::done) return;
  if (parent.step->kind == plan::Kind::loop) return;  // its next turn begins with admit_next(), or never
  node.is_tainted = node.is_tainted || parent.is_tainted;
  const int bound = parent.step->max_parallel;
  if (bound > 0 && parent.begun >= static_cast<std::uint32_t>(bound)) {
    parent.held.push_back(index);
    return;
  }
  ++parent.begun;
  queue(index);
}

void Course::queue(Index index) {
  Node& node = nodes_[index];
  node.phase = Phase::ready;
  switch (node.step->kind) {
    case plan::Kind::run:
      runs_.insert(index);
      break;
    case plan::Kind::gate_approval:
      gates_.insert(index);
      break;
    default:
      controls_.insert(index);
  }
}

void Course::unqueue(Index index) {
  for (auto* set : {&runs_, &gates_, &controls_}) set->erase(index);
  nodes_[index].phase = Phase::waiting;
}

std::optional<Index> Course::next(Lane lane) {
  std::set<Index>* from = nullptr;
  if (!controls_.empty()) from = &controls_;
  if (from == nullptr && lane == Lane::free && !runs_.empty()) from = &runs_;
  if (from == nullptr) return std::nullopt;
  const Index index = *from->begin();
  from->erase(from->begin());
  nodes_[index].phase = Phase::begun;
  return index;
}

std::optional<Index> Course::next_gate() {
  if (gates_.empty()) return std::nullopt;
  const Index index = *gates_.begin();
  gates_.erase(gates_.begin());
  nodes_[index].phase = Phase::begun;
  return index;
}

void Course::put_back(Index index) {
  queue(index);
}

void Course::skip(Index index) {
  ++nodes_[nodes_[index].parent].begun;
  end(index, StepState::skipped);
}

bool Course::tolerates(const Node& group, std::uint32_t failed) const {
  if (group.is_hard) return false;
  const plan::MaxFailures& most = group.step->max_failures;
  const bool counts = group.step->kind == plan::Kind::parallel || group.step->kind == plan::Kind::map;
  if (!counts) return failed == 0;
  const std::size_t allowed = most.percent ? group.members.size() * static_cast<std::size_t>(most.many) / 100
                                           : static_cast<std::size_t>(most.many);
  return failed <= allowed;
}

void Course::count_failure(Index group, Index member) {
  Node& parent = nodes_[group];
  ++parent.failed;
  parent.is_hard = parent.is_hard || nodes_[member].is_hard;
  if (tolerates(parent, parent.failed)) return;
  if (parent.cause == kNone) parent.cause = nodes_[member].cause == kNone ? member : nodes_[member].cause;
  if (parent.step->fail_fast && !parent.is_shut) to_stop_.push_back(group);
  shut(group);
}

void Course::end(Index index, StepState state) {
  Node& node = nodes_[index];
  node.phase = Phase::done;
  node.state = state;
  const Index group = node.parent;
  Node& parent = nodes_[group];
  --parent.begun;
  ++parent.done;
  parent.is_fresh = parent.is_fresh || node.is_fresh;
  if (is_done(state)) {
    for (const Index after : node.dependants) {
      Node& dependant = nodes_[after];
      dependant.changed_in = std::max(dependant.changed_in, node.is_fresh ? batch : 0);
      dependant.is_tainted = dependant.is_tainted || node.is_fresh;
      if (dependant.open_needs > 0 && --dependant.open_needs == 0) admit(after);
    }
  } else {
    count_failure(group, index);
  }
  let_in(group);
  settle_if_idle(group);
}

void Course::let_in(Index group) {
  Node& node = nodes_[group];
  const int bound = node.step->max_parallel;
  while (!node.is_shut && node.held_from < node.held.size() && node.begun < static_cast<std::uint32_t>(bound)) {
    ++node.begun;
    queue(node.held[node.held_from++]);
  }
}

void Course::shut(Index group) {
  Node& node = nodes_[group];
  if (node.is_shut) return;
  node.is_shut = true;
  node.held.clear();
  node.held_from = 0;
  for (const Index member : node.members) {
    if (nodes_[member].phase == Phase::ready) {
      unqueue(member);
      --node.begun;
    } else if (nodes_[member].phase == Phase::begun && is_group(nodes_[member].step->kind)) {
      shut(member);
    }
  }
  settle_if_idle(group);
}

bool Course::is_shut(Index index) const {
  const Index group = nodes_[index].parent;
  return group != kNone && nodes_[group].is_shut;
}

void Course::settle_if_idle(Index group) {
  const Node& node = nodes_[group];
  if (node.is_open && node.phase == Phase::begun && node.begun == 0) settled_.push_back(group);
}

std::optional<Index> Course::next_settled() {
  while (!settled_.empty()) {
    const Index group = settled_.front();
    settled_.pop_front();
    if (nodes_[group].phase == Phase::begun && nodes_[group].begun == 0) return group;
  }
  return std::nullopt;
}

std::vector<Index> Course::take_to_stop() {
  return std::exchange(to_stop_, {});
}

std::vector<Index> Course::begun_below(Index group) const {
  std::vector<Index> found;
  for (const Index member : nodes_[group].members) {
    const Node& node = nodes_[member];
    if (node.phase != Phase::begun) continue;
    if (node.step->kind == plan::Kind::run) found.push_back(member);
    const auto below = begun_below(member);
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

}  // namespace stella::run
