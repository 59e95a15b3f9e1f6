// SPDX-License-Identifier: Apache-2.0
// What is due by time. Every stella process that opens the journal applies it (contract section 13).
#pragma once

#include "appliance/journal/journal.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::run {

// Ends each waiting run whose gate ran out: pack.gate.expired, pack.run.expired. Runs that another process has are left
// to it.
void apply_due(const files::Home& home, journal::Journal& journal, clock::Time now);
// The same for one run, whose lock the caller holds; true when it expired.
bool expire_if_due(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now);
// Opens the home's journal, applies what is due and delivers what the offline kit lacks.
[[nodiscard]] journal::Journal open_journal(const files::Home& home, clock::Time now);

}  // namespace stella::run
