// SPDX-License-Identifier: Apache-2.0
// What somebody who is called about a run needs to know first. Holds no secret and nothing made from one: it is put
// together from the journal and the logs, which are redacted before they are written, and leaves out the last
// characters that the journal keeps of a leased secret. Reads only; one thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/files/home.hpp"

namespace stella::escalation {

// `summary`: of `runs show`. {runId, tenant, pack {name, version, digest, maintainers}, planHash, requestedBy, state,
// code, reason, message, attempt, attempts [{attempt, started, ended, state}], times {submitted, started, lastEvent,
// ended}, failing {step, try, state, reason, message, exit, log [the last 40 lines]}, blocked, gates (that wait),
// evidence {bag, number, list, exported}, journal {seq, head}, owner {kind, what, primary, secondary, named: policy |
// default, send}, next}. What is not known is null; where something of the run cannot be read, `problems` says why.
[[nodiscard]] canon::Json report(const files::Home& home, const journal::Journal& journal, const journal::RunRow& row,
                                 const canon::Json& summary);
// The same for people.
[[nodiscard]] std::vector<std::string> lines_of(const canon::Json& report);

// An event's line for a bundle: as it is, unless it names what a secret ended with.
[[nodiscard]] std::string without_secret_ends(const journal::Event& event);

}  // namespace stella::escalation
