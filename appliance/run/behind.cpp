// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/behind.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace stella::run {
namespace {

using ById = std::unordered_map<std::string, const plan::Step*>;

ById index_of(const Steps& steps) {
  ById found;
  for (const plan::Step* step : steps) found.emplace(step->id, step);
  return found;
}

bool has_turn(const std::set<std::string>& ids, const std::string& group) {
  const auto found = ids.lower_bound(group + "[");
  return found != ids.end() && found->starts_with(group + "[");
}

}  // namespace

const plan::Step* find_step(const Steps& steps, const std::string& id) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const auto* step) { return step->id == id; });
  return found == steps.end() ? nullptr : *found;
}

const plan::Step* find_gate_step(const Steps& steps, const std::string& gate) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const auto* step) {
    return step->kind == plan::Kind::gate_approval && step->gate.id == gate;
  });
  return found == steps.end() ? nullptr : *found;
}

std::vector<std::string> needs_of(const Steps& steps, const std::string& id) {
  const ById all = index_of(steps);
  // `whole`: it must be done, with all that stands in it. `around`: it must have begun.
  std::set<std::string> whole, around;
  std::vector<std::string> todo = {id};
  while (!todo.empty()) {
    const auto found = all.find(todo.back());
    todo.pop_back();
    if (found == all.end()) continue;
    for (const std::string& need : found->second->needs) {
      if (whole.insert(need).second) todo.push_back(need);
    }
    const std::string& parent = found->second->parent;
    if (!parent.empty() && !whole.contains(parent) && around.insert(parent).second) todo.push_back(parent);
  }
  std::vector<std::string> ordered;
  for (const plan::Step* step : steps) {
    if (whole.contains(step->parent)) whole.insert(step->id);
    if (step->id != id && whole.contains(step->id)) ordered.push_back(step->id);
  }
  return ordered;
}

std::vector<std::string> released_by(const Steps& steps, const std::string& gate) {
  const ById all = index_of(steps);
  std::set<std::string> roots, found;
  for (const plan::Step* step = find_gate_step(steps, gate); step != nullptr;) {
    roots.insert(step->id);  // what needs a group around the gate waits for the gate too
    const auto parent = all.find(step->parent);
    step = parent == all.end() ? nullptr : parent->second;
  }
  std::vector<std::string> ordered;
  std::set<std::string> seen;
  for (const plan::Step* step : steps) {
    if (roots.contains(step->id)) seen.insert(step->id);
    // The later turns of a loop wait for the one that holds the gate.
    const bool next_turn = step->kind == plan::Kind::item && roots.contains(step->parent) &&
                           all.at(step->parent)->kind == plan::Kind::loop && has_turn(seen, step->parent);
    const bool follows = std::any_of(step->needs.begin(), step->needs.end(), [&](const std::string& need) {
      return roots.contains(need) || found.contains(need);
    });
    if (roots.contains(step->id) || (!follows && !next_turn && !found.contains(step->parent))) continue;
    found.insert(step->id);
    ordered.push_back(step->id);
  }
  return ordered;
}

}  // namespace stella::run
