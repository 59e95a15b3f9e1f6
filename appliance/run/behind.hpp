// SPDX-License-Identifier: Apache-2.0
// What lies before and behind a step, through needs, groups and turns. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "appliance/plan/plan.hpp"

namespace stella::run {

// The steps of a run: the plan's and those that were made for turns, each group before its members.
using Steps = std::vector<const plan::Step*>;

[[nodiscard]] const plan::Step* find_step(const Steps& steps, const std::string& id);
// All steps that must be done before `id` may start: what it and the groups around it need, directly or through others,
// with all that stands in those. In the order of `steps`.
[[nodiscard]] std::vector<std::string> needs_of(const Steps& steps, const std::string& id);
// The steps that wait for the gate of this id, directly or through others: what it releases. In the order of `steps`.
[[nodiscard]] std::vector<std::string> released_by(const Steps& steps, const std::string& gate);
// The step that holds the gate; null: none.
[[nodiscard]] const plan::Step* find_gate_step(const Steps& steps, const std::string& gate);

}  // namespace stella::run
