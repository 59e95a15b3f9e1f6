// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/view.hpp"

#include "appliance/expression/expression.hpp"
#include <algorithm>

namespace stella::run {
namespace {

using canon::Json;

Json context_of(Live& live) {
  plan::Progress reached{.run_id = live.id(), .attempt = live.progress().attempt, .steps = {}, .approvals = {}};
  for (const auto& [id, step] : live.progress().steps) {
    if (!is_done(step.state)) continue;
    plan::StepResult result{.state = name_of(step.state), .exit_status = step.exit_status, .outputs = {}};
    for (const auto& [name, value] : step.outputs.items()) result.outputs[name] = value.get<std::string>();
    reached.steps[id] = std::move(result);
  }
  reached.approvals = live.record().approved_by;
  return plan::context(live.plan(), reached);
}

}  // namespace

bool holds_at(Live& live, const std::string& expression, const plan::Step& at) {
  (void)at;
  return expression.empty() || plan::holds(expression, context_of(live));
}

plan::Resolved resolve_at(Live& live, const plan::Step& step) {
  const bool open = std::any_of(step.command.begin(), step.command.end(), [](const auto& word) { return word.open; }) ||
                    std::any_of(step.env.begin(), step.env.end(), [](const auto& value) { return value.second.open; });
  return plan::resolve(step, open ? context_of(live) : Json::object());
}

canon::Json items_at(Live& live, const plan::Step& group) {
  return expression::Expression::parse(group.items, {}).evaluate(context_of(live));
}

}  // namespace stella::run
