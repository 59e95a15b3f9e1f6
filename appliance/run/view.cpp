// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/view.hpp"

namespace stella::run {
namespace {

// A turn has no events of its own: it is what its steps are.
std::string state_of_turn(const Live& live, const std::string& turn) {
  bool all_done = true;
  for (const std::string& id : live.index().members(turn)) {
    const StepState state = live.progress().step(id).state;
    if (state == StepState::failed) return name_of(state);
    all_done = all_done && is_done(state);
  }
  return name_of(all_done ? StepState::succeeded : StepState::running);
}

plan::StepResult result_of(const Live& live, const std::string& id) {
  const plan::Step* step = live.index().find(id);
  if (step != nullptr && step->kind == plan::Kind::item) return {.state = state_of_turn(live, id)};
  const StepProgress& progress = live.progress().step(id);
  plan::StepResult result{
      .state = name_of(progress.state), .exit_status = progress.exit_status, .outputs = progress.outputs};
  if (const auto taken = progress.decided.find("case"); taken != progress.decided.end())
    result.branch = taken->get<int>();
  return result;
}

}  // namespace

plan::View view_of(Live& live) {
  live.follow_steps();
  return {.run_id = live.id(),
          .attempt = live.progress().attempt,
          .find = [&live](const std::string& id) { return live.index().find(id); },
          .members = [&live](const std::string& id) { return live.index().members(id); },
          .result = [&live](const std::string& id) { return result_of(live, id); },
          .approvers =
              [&live](const std::string& gate) {
                const auto found = live.record().approved_by.find(gate);
                return found == live.record().approved_by.end() ? std::vector<std::string>{} : found->second;
              }};
}

bool holds_at(Live& live, const std::string& expression, const plan::Step& at) {
  return expression.empty() || plan::holds(expression, live.plan(), view_of(live), at);
}

plan::Resolved resolve_at(Live& live, const plan::Step& step) {
  return plan::resolve(live.plan(), view_of(live), step);
}

canon::Json items_at(Live& live, const plan::Step& group) {
  return plan::items_of(live.plan(), view_of(live), group);
}

}  // namespace stella::run
