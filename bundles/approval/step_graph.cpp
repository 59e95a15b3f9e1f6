// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/step_graph.hpp"

namespace stella::approval {
namespace {

// Numbers to be visited, each once.
class Reached {
 public:
  explicit Reached(std::size_t size) : seen_(size) {}
  void add(std::size_t number) {
    if (seen_[number]) return;
    seen_[number] = true;
    waiting_.push_back(number);
  }
  void add(const std::vector<std::size_t>& numbers) {
    for (const std::size_t number : numbers) add(number);
  }
  [[nodiscard]] bool is_empty() const noexcept { return waiting_.empty(); }
  std::size_t next() {
    const std::size_t number = waiting_.back();
    waiting_.pop_back();
    return number;
  }
  [[nodiscard]] bool has(std::size_t number) const { return seen_[number]; }

 private:
  std::vector<bool> seen_;
  std::vector<std::size_t> waiting_;
};

}  // namespace

std::string template_id(std::string_view id) {
  std::string out;
  for (std::size_t i = 0; i < id.size(); ++i) {
    out += id[i];
    if (id[i] != '[') continue;
    out += '*';
    while (i + 1 < id.size() && id[i + 1] != ']') ++i;
  }
  return out;
}

void StepGraph::add(const GraphStep& step) {
  const std::size_t number = steps_.size();
  if (!numbers_.emplace(step.id, number).second) return;
  Node node{step.id, kNone, {}, {}, {}};
  if (const auto parent = numbers_.find(step.parent); !step.parent.empty() && parent != numbers_.end()) {
    node.parent = parent->second;
    steps_[parent->second].members.push_back(number);
  }
  for (const std::string& need : step.needs) {
    const auto found = numbers_.find(need);
    if (found == numbers_.end() || found->second == number) continue;
    node.needs.push_back(found->second);
    steps_[found->second].needed_by.push_back(number);
  }
  steps_.push_back(std::move(node));
}

std::string StepGraph::parent_of(const std::string& id) const {
  const auto found = numbers_.find(id);
  if (found == numbers_.end() || steps_[found->second].parent == kNone) return {};
  return steps_[steps_[found->second].parent].id;
}

std::vector<std::string> StepGraph::behind(std::span<const std::string> gates) const {
  Reached behind(steps_.size()), unfinished(steps_.size());
  const auto hold = [&](std::size_t number) {  // it and the groups around it end only after the gate
    for (std::size_t at = number; at != kNone && !unfinished.has(at); at = steps_[at].parent) {
      unfinished.add(at);
      behind.add(steps_[at].needed_by);
    }
  };
  for (const std::string& gate : gates)
    if (const auto found = numbers_.find(gate); found != numbers_.end()) hold(found->second);
  while (!behind.is_empty()) {
    const std::size_t number = behind.next();
    hold(number);
    behind.add(steps_[number].members);
  }
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (behind.has(i)) ids.push_back(steps_[i].id);
  return ids;
}

std::vector<std::string> StepGraph::before(const std::string& id) const {
  const auto found = numbers_.find(id);
  if (found == numbers_.end()) return {};
  Reached before(steps_.size());
  for (std::size_t at = found->second; at != kNone; at = steps_[at].parent) before.add(steps_[at].needs);
  while (!before.is_empty()) {
    const std::size_t number = before.next();
    before.add(steps_[number].needs);
    before.add(steps_[number].members);
  }
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (before.has(i)) ids.push_back(steps_[i].id);
  return ids;
}

}  // namespace stella::approval
