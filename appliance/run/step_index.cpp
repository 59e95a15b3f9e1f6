// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/step_index.hpp"

#include "appliance/run/record.hpp"

namespace stella::run {

void StepIndex::add(const plan::Step& step) {
  steps_.emplace(step.id, &step);
  members_[step.parent].push_back(step.id);
}

void StepIndex::follow(const Record& record) {
  if (record.made.size() < made_ || record.plan.get() != plan_) *this = {};  // a record that was read anew
  plan_ = record.plan.get();
  for (; planned_ < record.plan->steps.size(); ++planned_) add(record.plan->steps[planned_]);
  for (; made_ < record.made.size(); ++made_) add(*record.made[made_]);
}

const plan::Step* StepIndex::find(std::string_view id) const {
  const auto found = steps_.find(id);
  return found == steps_.end() ? nullptr : found->second;
}

const std::vector<std::string>& StepIndex::members(const std::string& group) const {
  static const std::vector<std::string> none;
  const auto found = members_.find(group);
  return found == members_.end() ? none : found->second;
}

}  // namespace stella::run
