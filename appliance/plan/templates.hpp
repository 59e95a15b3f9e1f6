// SPDX-License-Identifier: Apache-2.0
// A pack's tree of steps as the flat templates that expand() writes steps from. Pure; any thread.
#pragma once

#include <vector>

#include "appliance/network/decision.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/plan/words.hpp"

namespace stella::plan {

struct Terms {  // what every step of the pack is written under
  const pack::Manifest& manifest;
  const std::vector<Endpoint>& allowed;
  clock::Duration default_expiry;
  Known& known;  // fills the approvals' messages, which read inputs only
};
// Words, policy gates' messages and expressions are as the pack has them; ids have no turns; every map and loop has its
// body.
[[nodiscard]] std::vector<Step> templates_of(const Terms& terms);

}  // namespace stella::plan
