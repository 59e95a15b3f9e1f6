// SPDX-License-Identifier: Apache-2.0
// What the site demands of a pack's gates whatever the pack says (security.md rule 8), and whether enough people could
// open them. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "appliance/plan/plan.hpp"
#include "bundles/site/policy.hpp"

namespace stella::plan {

struct Floor {
  int threshold = 1;
  std::map<std::string, int> roles;
};
// The highest of every `approvals.require` entry that names the pack; nullopt when none does.
[[nodiscard]] std::optional<Floor> floor_of(const site::Policy& policy, const std::string& pack_name);
void raise(Gate& gate, const Floor& floor);
// ERR_APPROVAL_ROSTER, reason too-few, when the tenant has not enough people, or not enough of a role, who may approve.
void require_people(const Gate& gate, const site::Policy& policy, const std::string& tenant);

}  // namespace stella::plan
