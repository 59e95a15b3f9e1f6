// SPDX-License-Identifier: Apache-2.0
// The verbs of `stella site` in two files: what the office does with a policy, what an appliance does with it.
#pragma once

#include "appliance/cli/command.hpp"

namespace stella::cli {

[[nodiscard]] std::vector<Command> site_office_commands();     // init check sign
[[nodiscard]] std::vector<Command> site_appliance_commands();  // identity apply show clock

}  // namespace stella::cli
