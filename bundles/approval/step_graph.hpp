// SPDX-License-Identifier: Apache-2.0
// The order of a plan's steps: what waits for a gate, and what is done before a step. The one home of that question for
// the runner, the approver's desk and the auditor. Pure; one thread.
//
// A step waits for a gate when it needs the gate or a step that waits for it; when the group that it stands in waits;
// or when it needs a group that holds the gate or a step that waits. Turns of a loop need the turn before, so a gate in
// one turn holds those after it; turns of a map are independent.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stella::approval {

struct GraphStep {
  std::string id, parent;          // parent: the group or turn it stands in, empty: top level
  std::vector<std::string> needs;  // of the same list
};

// The id without turn numbers: flash[3]::one and flash[4]::one are both flash[*]::one.
[[nodiscard]] std::string template_id(std::string_view id);

class StepGraph {
 public:
  // Groups before their members, steps before those that need them; what is not there yet is not waited for.
  void add(const GraphStep& step);
  [[nodiscard]] bool has(std::string_view id) const { return numbers_.contains(std::string(id)); }
  [[nodiscard]] std::size_t size() const noexcept { return steps_.size(); }
  [[nodiscard]] std::string parent_of(const std::string& id) const;  // empty at top level
  // Ids in the order of add(); the gates themselves are not among them, nor the groups around them.
  [[nodiscard]] std::vector<std::string> behind(std::span<const std::string> gates) const;
  [[nodiscard]] std::vector<std::string> behind(const std::string& gate) const { return behind({&gate, 1}); }
  // Steps that are surely done, or will surely not run, before this one starts.
  [[nodiscard]] std::vector<std::string> before(const std::string& id) const;

 private:
  struct Node {
    std::string id;
    std::size_t parent;  // number, kNone at top
    std::vector<std::size_t> needs, needed_by, members;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<Node> steps_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace stella::approval
