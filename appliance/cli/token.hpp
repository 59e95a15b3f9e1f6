// SPDX-License-Identifier: Apache-2.0
// The rows of the tokens that `stella serve` takes.
#pragma once

#include <vector>

#include "appliance/cli/command.hpp"

namespace stella::cli {

[[nodiscard]] std::vector<Command> token_commands();  // token new list revoke

}  // namespace stella::cli
