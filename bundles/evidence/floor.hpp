// SPDX-License-Identifier: Apache-2.0
// What the site demands of a plan whatever the pack or the appliance made of it (security.md rule 8): the pack is not
// denied, the tenant is the site's, no gate lies below the floor and no host is open that the policy does not list.
// Without it a bag whose plan has no gate at all would pass, because nothing stands behind a gate. Any thread.
#pragma once

#include "bundles/approval/plan_view.hpp"
#include "bundles/evidence/replay.hpp"

namespace stella::evidence {

// ERR_EVIDENCE_UNTRUSTED, reasons denied, tenant, floor, network, at data/plan.json.
void prove_floor(const site::Policy& policy, const approval::PlanView& plan, Report& report);

}  // namespace stella::evidence
