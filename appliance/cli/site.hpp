// SPDX-License-Identifier: Apache-2.0
// The verbs of `stella site` in three files: what the office does with a policy, what an appliance does, its clock.
#pragma once

#include "appliance/cli/command.hpp"

namespace stella::cli {

[[nodiscard]] std::vector<Command> site_office_commands();     // init check sign
[[nodiscard]] std::vector<Command> site_appliance_commands();  // identity apply show
[[nodiscard]] std::vector<Command> site_clock_commands();      // clock

}  // namespace stella::cli
