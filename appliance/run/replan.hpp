// SPDX-License-Identifier: Apache-2.0
// Planning a run's own files again: under the policy it was planned under, under the current one, and for good when an
// attempt goes on under a new plan. One thread; the caller holds the run's lock for adopt().
#pragma once

#include <memory>
#include <string>

#include "appliance/admission/admission.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"

namespace stella::run {

// The run's own pack, accepted by the current policy: ERR_PACK_SIGNATURE when it takes pack or publisher away.
[[nodiscard]] admission::Admitted admit_own(const files::Home& home, const journal::RunRow& row,
                                            const site::Policy* policy);
// ERR_PACK_INPUTS, ERR_PACK_INVALID, ERR_APPROVAL_ROSTER: as plan::make.
[[nodiscard]] plan::Plan plan_own(const journal::RunRow& row, const admission::Admitted& admitted,
                                  const site::Policy* policy);
// The policy the run was planned under. Its signatures must hold under the current admins; where the admins have
// changed since, the current policy stands in: then the plan is either the same or it has drifted.
[[nodiscard]] site::Applied policy_of_run(const journal::RunRow& row, const site::Applied& current);

// plan.json as it lies in the run's folder; its hash is compared with the journal's by load_record() only.
[[nodiscard]] plan::Plan stored_plan(const journal::RunRow& row);

// In words, the parts of the plan that differ: `network, approvals`; empty: none.
[[nodiscard]] std::string difference(const plan::Plan& from, const plan::Plan& to);

// Puts a new plan and its policy beside the old ones; settle_plan() moves them into place once the journal names the
// new hash, at whatever moment the power went. The old ones stay as plan.<attempt>.json and policy.<attempt>.dsse.json.
void stage_plan(const journal::RunRow& row, const plan::Plan& plan, const site::Applied& policy);
void settle_plan(const journal::RunRow& row);

}  // namespace stella::run
