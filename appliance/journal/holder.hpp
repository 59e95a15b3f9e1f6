// SPDX-License-Identifier: Apache-2.0
// Who has a run, asked without taking anything. Not from a process that has a run itself: closing any descriptor of a
// lock file gives up the process's own POSIX lock on it.
#pragma once

#include <sys/types.h>

#include <optional>

#include "appliance/journal/journal.hpp"

namespace stella::journal {

// The process that runs it; nothing when none does: a run that is `running` then was interrupted.
[[nodiscard]] std::optional<pid_t> find_runner(const RunRow& run);

}  // namespace stella::journal
