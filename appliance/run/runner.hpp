// SPDX-License-Identifier: Apache-2.0
// Takes a run from where it stands to its end, or to where it must wait. Steps run in lanes, as many at once as the
// plan says (walk.hpp); a gate is taken only when nothing runs and nothing else can start, so that nothing is in flight
// while it waits (security.md rule 4). One thread; the caller holds the run's lock.
#pragma once

#include "appliance/run/live.hpp"

namespace stella::run {

// An expected end (failed, blocked, waiting, interrupted, ...) is an Outcome; the journal has it. Thrown: what keeps
// the runner itself from going on, after the run was paused as far as that was possible.
[[nodiscard]] Outcome go_on(Live& live);

// Unpacks the run's pack afresh into pack/, checking every digest; what lay there is removed.
void unpack_afresh(const Record& record);

}  // namespace stella::run
