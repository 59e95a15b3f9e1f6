// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/roster.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

constexpr auto kRoster = fault::Code::approval_roster;
constexpr std::string_view kScope = "packs.approve";

struct Found {
  const site::Tenant* tenant;
  const site::Approver* approver;
  const site::ApproverKey* key;
};

// An entry of the request's own tenant comes first: one person may approve for several tenants with one key.
std::optional<Found> find(const trust::PublicKey& key, const site::Policy& policy, const std::string& tenant_name) {
  std::optional<Found> elsewhere;
  for (const site::Tenant& tenant : policy.tenants)
    for (const site::Approver& approver : tenant.approvers)
      for (const site::ApproverKey& each : approver.keys) {
        if (each.key != key) continue;
        if (tenant.name == tenant_name) return Found{&tenant, &approver, &each};
        elsewhere = Found{&tenant, &approver, &each};
      }
  return elsewhere;
}

bool is_requester(const std::string& name, const Asked& asked) {
  return name == asked.requested_by || std::ranges::find(asked.requesters, name) != asked.requesters.end();
}

// The runbook writes `Packs.Approve`; the policy reader may or may not have folded it.
bool has_scope(const site::Approver& approver) {
  return std::ranges::any_of(approver.scopes,
                             [](const std::string& scope) { return scope == kScope || scope == "Packs.Approve"; });
}

bool is_among(std::span<const std::string> names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool may_approve(const site::Approver& approver, const site::Policy& policy) {
  return has_scope(approver) && std::ranges::any_of(approver.keys, [&](const site::ApproverKey& each) {
           return !policy.is_revoked(each.key);
         });
}

std::vector<std::string> may_still_answer(const site::Policy& policy, const std::string& tenant,
                                          std::span<const std::string> answered,
                                          std::span<const std::string> requesters) {
  std::vector<std::string> people;
  const site::Tenant* found = policy.find_tenant(tenant);
  if (found == nullptr) return people;
  for (const site::Approver& one : found->approvers) {
    const bool asked = !policy.allow_requester_to_approve && is_among(requesters, one.name);
    if (asked || is_among(answered, one.name) || !may_approve(one, policy)) continue;
    people.push_back(one.roles.empty() ? one.name : fmt::format("{} ({})", one.name, fmt::join(one.roles, ", ")));
  }
  return people;
}

Voter require_voter(const trust::PublicKey& key, const Request& request, const site::Policy& policy) {
  const Asked& asked = request.asked;
  const std::string at = "site policy version " + std::to_string(policy.version);
  if (policy.is_revoked(key))
    throw fault::Error(kRoster, "revoked", "key " + key.key_id().substr(0, 16) + " was revoked", at);
  const auto found = find(key, policy, asked.tenant);
  if (!found)
    throw fault::Error(
        kRoster, "tenant",
        "key " + key.key_id().substr(0, 16) + " is no approver's of tenant " + canon::printable(asked.tenant), at);
  const std::string name = canon::printable(found->approver->name);
  if (found->tenant->name != asked.tenant)
    throw fault::Error(kRoster, "tenant",
                       name + " approves for tenant " + canon::printable(found->tenant->name) + ", not for " +
                           canon::printable(asked.tenant),
                       at);
  if (!has_scope(*found->approver))
    throw fault::Error(kRoster, "scope", name + " does not have the scope packs.approve", at);
  if (is_requester(found->approver->name, asked) && !policy.allow_requester_to_approve)
    throw fault::Error(kRoster, "requester", name + " asked for this run and may not approve it", at);
  return {found->approver->name, found->approver->roles, key, found->key->unprotected};
}

Voter require_voter(const trust::PublicKey& key, const Request& request, const site::Policy& pinned,
                    const site::Policy& current) {
  Voter voter = require_voter(key, request, current);
  const Voter before = require_voter(key, request, pinned);
  if (before.name != voter.name)
    throw fault::Error(kRoster, "tenant",
                       "the key changed hands between the two policies: " + canon::printable(before.name) + ", " +
                           canon::printable(voter.name));
  std::erase_if(voter.roles,
                [&](const std::string& role) { return std::ranges::find(before.roles, role) == before.roles.end(); });
  voter.unprotected = voter.unprotected && before.unprotected;
  return voter;
}

Count count(const Request& request, std::span<const Signed> responses, const site::Policy& current) {
  Count result;
  result.need = request.asked.threshold;
  std::set<std::string> people;
  std::set<trust::PublicKey> keys;
  std::map<std::string, int> roles;
  for (const Signed& response : responses) {
    Voter voter;
    try {
      voter = require_voter(response.key, request, request.pinned, current);
    } catch (const fault::Error& error) {
      if (error.code() != kRoster) throw;
      continue;  // it counted when it came; a policy since then took it away
    }
    if (voter.name != response.answer.approver || !people.insert(voter.name).second || !keys.insert(voter.key).second)
      continue;
    if (response.answer.decision == Decision::rejected) {
      if (!result.rejection) result.rejection = response.answer;
      continue;
    }
    result.approvers.push_back(voter.name);
    for (const std::string& role : std::set<std::string>(voter.roles.begin(), voter.roles.end())) ++roles[role];
  }
  result.have = static_cast<int>(result.approvers.size());
  for (const auto& [role, least] : request.asked.roles)
    if (roles[role] < least)
      result.missing_roles.push_back(role + ": " + std::to_string(least - roles[role]) + " more");
  return result;
}

}  // namespace stella::approval
