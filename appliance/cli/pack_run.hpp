// SPDX-License-Identifier: Apache-2.0
// The two halves of the verbs about runs; pack_run_commands() puts them together.
#pragma once

#include <vector>

#include "appliance/cli/command.hpp"

namespace stella::cli {

[[nodiscard]] std::vector<Command> run_moving_commands();   // run, runs resume, runs cancel
[[nodiscard]] std::vector<Command> run_looking_commands();  // runs list, show, logs

}  // namespace stella::cli
