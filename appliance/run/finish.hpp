// SPDX-License-Identifier: Apache-2.0
// The end of a run: its last event, then its evidence. One thread; finishing a finished run changes nothing.
#pragma once

#include <span>
#include <string>

#include "appliance/journal/journal.hpp"
#include "appliance/run/live.hpp"
#include "appliance/run/stop.hpp"
#include "bundles/files/home.hpp"

namespace stella::run {

// All steps are done: checks the declared outputs, then pack.run.succeeded or (reason `output`) pack.run.failed.
Outcome finish_done(Live& live);
// pack.run.failed with this error's code and reason.
Outcome finish_failed(Live& live, const fault::Error& error, const std::string& step);
Outcome finish_cancelled(Live& live);  // by the request in its folder
Outcome finish_cancelled(Live& live, const CancelRequest& request);
Outcome finish_expired(Live& live, const fault::Error& error, const std::string& gate);
// The run's end is decided, its `finally` steps come first: pack.run.paused with what is owed. A process that is not
// the runner leaves it there; `runs resume` goes on.
[[nodiscard]] bool has_ending(const plan::Plan& plan);
[[nodiscard]] journal::NewEvent owed_event(const fault::Error& error, canon::Json owed);
void owe_cancelled(Live& live);
// pack.run.paused; the error says how to go on.
Outcome pause(Live& live, const fault::Error& error, const std::string& step);

// The bag of the run's present attempt, an absolute folder; empty when there is none.
[[nodiscard]] std::string sealed_bag(const journal::RunRow& row, std::span<const journal::Event> events);
// Seals the evidence of an attempt that has ended, once: pack.evidence.sealed. Gives the bag's folder; empty when the
// run has not ended. Errors as attest::seal.
std::string seal_evidence(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now);
// The same where the run's end matters more than its bag: what went wrong, empty when nothing did. A later resume tries
// again.
std::string try_to_seal(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now);

}  // namespace stella::run
