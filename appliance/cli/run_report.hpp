// SPDX-License-Identifier: Apache-2.0
// What people are told about a run: the same lines after `pack run`, `runs resume` and in `runs show`. One thread.
#pragma once

#include <string>

#include "appliance/cli/command.hpp"
#include "appliance/cli/runs_tree.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::cli {

// run::summary_json and, free additions, `next`: the command that goes on from here, empty: none is needed; in each
// gate that waits, `mayDecide`: approvers of the tenant who have not decided; `exported`, `hold` {who, reason, at}.
[[nodiscard]] canon::Json summary_of(Invocation& call, const journal::Journal& journal, const journal::RunRow& row);
void say_summary(Output& out, const canon::Json& summary, clock::Time now, Fold fold);

}  // namespace stella::cli
