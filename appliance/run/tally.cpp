// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/tally.hpp"

#include <set>

#include "appliance/run/record.hpp"

namespace stella::run {
namespace {

StepState state_after(const std::string& type, const canon::Json& data) {
  if (type == "pack.step.skipped") return StepState::skipped;
  if (type != "pack.step.finished") return StepState::running;
  const std::string state = data.value("state", "");
  for (const StepState known : {StepState::succeeded, StepState::continued, StepState::skipped}) {
    if (state == name_of(known)) return known;
  }
  return StepState::failed;
}

}  // namespace

bool is_counted(plan::Kind kind) {
  return kind == plan::Kind::run || kind == plan::Kind::gate_approval || kind == plan::Kind::gate_policy;
}

StepTally::StepTally(const plan::Plan& plan) : plan_(&plan) {
  for (const plan::Step& step : plan.steps) add(step);
  planned_ = plan.steps.size();
}

void StepTally::add(const plan::Step& step) {
  const auto [at, is_new] = steps_.try_emplace(step.id);
  if (!is_new) return;
  at->second.parent = step.parent;
  at->second.counted = is_counted(step.kind);
  order_.emplace_back(at->first);
  if (const auto parent = steps_.find(step.parent); parent != steps_.end())
    parent->second.members.emplace_back(at->first);
  count(at->second, 1);
}

void StepTally::follow(const Record& record) {
  const bool is_other = plan_ != record.plan.get() || made_ > record.made.size();
  if (is_other) *this = {};
  plan_ = record.plan.get();
  for (; planned_ < record.plan->steps.size(); ++planned_) add(record.plan->steps[planned_]);
  for (; made_ < record.made.size(); ++made_) add(*record.made[made_]);
  if (!is_other) return;
  for (auto& [id, entry] : steps_) entry.state = record.progress.step(id).state;
  recount();
}

void StepTally::take(const std::string& type, const std::string& step, const canon::Json& data) {
  const bool retried = type == "pack.step.retried";
  if (retried || type == "pack.step.started" || type == "pack.step.finished" || type == "pack.step.skipped")
    set(step, retried ? StepState::pending : state_after(type, data));
}

void StepTally::begin_attempt(const canon::Json& resumed) {
  std::set<std::string> reused;
  for (const canon::Json& id : resumed.value("reused", canon::Json::array())) {
    if (id.is_string()) reused.insert(id.get<std::string>());
  }
  for (auto& [id, entry] : steps_) {
    if (!reused.contains(id)) entry.state = StepState::pending;
  }
  recount();
}

canon::Json StepTally::json() const {
  return {{"done", done_}, {"failed", failed_}, {"total", total_}};
}

void StepTally::set(const std::string& id, StepState state) {
  const auto found = steps_.find(id);
  if (found == steps_.end()) return;
  Entry& entry = found->second;
  count(entry, -1);
  entry.state = state;
  entry.left_out = false;
  count(entry, 1);
  if (is_done(state)) leave_out_below(entry);
}

void StepTally::count(const Entry& entry, int by) {
  if (!entry.counted || entry.left_out) return;
  total_ += by;
  if (is_done(entry.state)) done_ += by;
  if (entry.state == StepState::failed) failed_ += by;
}

// The group is done: what has not begun in it never will.
void StepTally::leave_out_below(const Entry& group) {
  for (const std::string_view id : group.members) {
    Entry& member = steps_.at(std::string(id));
    if (member.counted && member.state == StepState::pending && !member.left_out) {
      count(member, -1);
      member.left_out = true;
    }
    leave_out_below(member);
  }
}

void StepTally::recount() {
  done_ = failed_ = total_ = 0;
  for (auto& [id, entry] : steps_) {
    entry.left_out = false;
    count(entry, 1);
  }
  for (const std::string_view id : order_) {
    const Entry& entry = steps_.at(std::string(id));
    if (!entry.counted && is_done(entry.state)) leave_out_below(entry);
  }
}

}  // namespace stella::run
