// SPDX-License-Identifier: Apache-2.0
// The gates of a bag, proved from the approvers' own signatures: each step behind a gate was started after enough
// people who count had approved this plan, run, attempt and gate.
#pragma once

#include "bundles/approval/plan_view.hpp"
#include "bundles/evidence/check.hpp"
#include "bundles/evidence/journal_lines.hpp"
#include "bundles/evidence/replay.hpp"

namespace stella::evidence {

// The plan's order with the turns that the journal names.
[[nodiscard]] approval::Order order_of(const approval::PlanView& plan, const JournalLines& journal);
// ERR_EVIDENCE_UNTRUSTED reason `gate`, at the step; what verify_request and verify_response throw, located in the bag.
void prove_gates(const Integrity& bag, const site::TrustRule& trust, const site::Policy& policy,
                 const approval::PlanView& plan, const JournalLines& journal, Report& report);

}  // namespace stella::evidence
