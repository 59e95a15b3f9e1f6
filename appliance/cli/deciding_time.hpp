// SPDX-License-Identifier: Apache-2.0
// The time that a verb decides by. A clock that went back, or leapt, neither lets an approval in nor a gate run out.
#pragma once

#include "appliance/cli/command.hpp"

namespace stella::cli {

// For verbs that start, resume, ask or accept: ERR_CLOCK_ROLLBACK while the clock is suspicious; remembers it
// otherwise.
[[nodiscard]] clock::Time deciding_time(Invocation& call);
// For verbs that only look: with a suspicious clock a note, and a time at which nothing is due.
[[nodiscard]] clock::Time looking_time(Invocation& call);

}  // namespace stella::cli
