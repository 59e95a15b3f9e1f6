// SPDX-License-Identifier: Apache-2.0
// A runner that was told to wait (--wait) sits out the pause of a chaos hook. One thread; the caller holds the run's
// lock.
#pragma once

#include <optional>

#include "appliance/cli/command.hpp"
#include "appliance/run/live.hpp"

namespace stella::cli {

// Nothing: the hook's time is over (or a cancelled run has its `finally` steps to come), the run is to be resumed as
// anybody would. Else how it ends here: `outcome` itself where it is no such pause, nobody waits, secrets were read
// from standard input and are gone, or a signal came; or the run's end, when it was cancelled meanwhile.
[[nodiscard]] std::optional<run::Outcome> sit_out_pause(Invocation& call, run::Live& live, const run::Outcome& outcome);

}  // namespace stella::cli
