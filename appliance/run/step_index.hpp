// SPDX-License-Identifier: Apache-2.0
// The steps of a run by id and by group: the plan's, and those that were made for turns since. One thread; what it
// gives lives as long as the record does.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "appliance/plan/plan.hpp"

namespace stella::run {

struct Record;

class StepIndex {
 public:
  // Takes in what the record has got since the last time.
  void follow(const Record& record);
  [[nodiscard]] const plan::Step* find(std::string_view id) const;                        // null: not known (yet)
  [[nodiscard]] const std::vector<std::string>& members(const std::string& group) const;  // ids, in the plan's order

 private:
  void add(const plan::Step& step);
  const plan::Plan* plan_ = nullptr;
  std::size_t planned_ = 0, made_ = 0;
  std::unordered_map<std::string_view, const plan::Step*> steps_;
  std::unordered_map<std::string, std::vector<std::string>> members_;
};

}  // namespace stella::run
