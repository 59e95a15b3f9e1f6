// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/floor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundles/approval/roster.hpp"

namespace stella::plan {
namespace {

void raise_to(Floor& floor, int threshold, const std::map<std::string, int>& roles) {
  floor.threshold = std::max(floor.threshold, threshold);
  for (const auto& [role, count] : roles) floor.roles[role] = std::max(floor.roles[role], count);
}

bool has(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

// People, not keys: one name counts once.
int people(const site::Tenant* tenant, const site::Policy& policy, const std::string* role) {
  std::set<std::string> names;
  if (tenant != nullptr)
    for (const site::Approver& approver : tenant->approvers)
      if (approval::may_approve(approver, policy) && (role == nullptr || has(approver.roles, *role)))
        names.insert(approver.name);
  return static_cast<int>(names.size());
}

}  // namespace

std::optional<Floor> floor_of(const site::Policy& policy, const std::string& pack_name) {
  std::optional<Floor> floor;
  for (const site::Requirement& requirement : policy.require) {
    if (!site::matches_any(requirement.packs, pack_name)) continue;
    if (!floor) floor.emplace();
    raise_to(*floor, requirement.threshold, requirement.roles);
  }
  return floor;
}

void raise(Gate& gate, const Floor& floor) {
  Floor wanted{gate.threshold, gate.roles};
  raise_to(wanted, floor.threshold, floor.roles);
  gate.threshold = wanted.threshold;
  gate.roles = wanted.roles;
}

void require_people(const Gate& gate, const site::Policy& policy, const std::string& tenant) {
  const site::Tenant* found = policy.find_tenant(tenant);
  const auto refuse = [&](int need, int have, const std::string& who) {
    throw fault::Error(
        fault::Code::approval_roster, "too-few",
        fmt::format("gate {} needs {} {}, tenant {} has {}", gate.id, need, who, tenant, have), "approval " + gate.id,
        "Have a site admin list more approvers with the scope packs.approve, or lower the gate's threshold.");
  };
  if (const int have = people(found, policy, nullptr); have < gate.threshold) refuse(gate.threshold, have, "approvers");
  for (const auto& [role, need] : gate.roles)
    if (const int have = people(found, policy, &role); have < need)
      refuse(need, have, fmt::format("approvers of role {}", role));
}

}  // namespace stella::plan
