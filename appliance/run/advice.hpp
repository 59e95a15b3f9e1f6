// SPDX-License-Identifier: Apache-2.0
// What people can do about a run as it stands: who may still decide at its gates, and the command that goes on from
// here. Pure; any thread.
#pragma once

#include <string>

#include "appliance/journal/journal.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/site/policy.hpp"

namespace stella::run {

// Of a gate as summary_json gives it.
[[nodiscard]] bool is_undecided(const canon::Json& gate);
// `mayDecide` of each undecided gate of a summary: approvers with the scope who have not decided and did not ask for
// the run, with their roles.
void add_candidates(canon::Json& summary, const site::Policy& policy, const journal::RunRow& row);
// A command line, empty when nothing is left to do. Of a summary with `exported`.
[[nodiscard]] std::string next_of(const canon::Json& summary);

}  // namespace stella::run
