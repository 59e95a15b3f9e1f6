// SPDX-License-Identifier: Apache-2.0
// The verbs about runs, one file each; pack_run_commands() and chaos_commands() put their rows together.
#pragma once

#include <string>
#include <vector>

#include "appliance/cli/command.hpp"

namespace stella::cli {

[[nodiscard]] std::vector<Command> run_moving_commands();  // run, runs resume
[[nodiscard]] Command runs_list_command();
[[nodiscard]] Command runs_show_command();
[[nodiscard]] Command runs_logs_command();
[[nodiscard]] Command runs_trace_command();
[[nodiscard]] Command runs_cancel_command();
[[nodiscard]] Command chaos_report_command();
[[nodiscard]] std::vector<Command> runs_retention_commands();  // prune, hold, release
[[nodiscard]] Command runs_removals_command();
[[nodiscard]] Command runs_escalate_command();

// RUN as a plain argument, and as --run.
inline const Positional kRunArgument{"RUN", "the run", false, false};
inline const Option kRunOption{"--run", "RUN", "the run", false, false, false};

// Who sits here, as the tenant's operators name them.
[[nodiscard]] std::string operator_here(Invocation& call, const std::string& tenant);
// --reason, checked before anything is written: it goes into the journal. ERR_USAGE reason `reason`.
[[nodiscard]] std::string reason_of(Invocation& call);

}  // namespace stella::cli
