// SPDX-License-Identifier: Apache-2.0
// A run as the results show it (contract section 3): {runId, state, attempt, planHash, exit, code, gates, blocked,
// evidence} and, free additions, pack, tenant, requestedBy, reason, created, updated, steps (each with parent,
// kind, state, tries over all attempts, attempts: the starts in this one, started, ended, elapsedMs, message), chaos
// (the hooks with their state `active`, `took-hold` or `over`) and a gate's delayedUntil. One thread.
#pragma once

#include "appliance/journal/journal.hpp"
#include "appliance/run/progress.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::run {

[[nodiscard]] int exit_of(const journal::RunRow& row);
[[nodiscard]] canon::Json short_json(const journal::RunRow& row);  // a row of `runs list`
// Gates are counted from the stored envelopes; where they cannot be read the gate's `problem` says why.
[[nodiscard]] canon::Json summary_json(const files::Home& home, const journal::Journal& journal,
                                       const journal::RunRow& row, clock::Time now);

}  // namespace stella::run
