// SPDX-License-Identifier: Apache-2.0
// Whose answer counts, and when enough did. A person is a name; a threshold counts people and raw keys once each
// (contract section 10). Any thread, nothing is kept.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bundles/approval/response.hpp"

namespace stella::approval {

struct Voter {
  std::string name;
  std::vector<std::string> roles;
  trust::PublicKey key;
  bool unprotected = false;  // the policy lets this key be one without passphrase
};
// The approver of the request's tenant that holds `key` under this policy. ERR_APPROVAL_ROSTER: revoked, tenant, scope,
// requester.
[[nodiscard]] Voter require_voter(const trust::PublicKey& key, const Request& request, const site::Policy& policy);
// By the policy that the request pins and by the current one; roles are those that both give.
[[nodiscard]] Voter require_voter(const trust::PublicKey& key, const Request& request, const site::Policy& pinned,
                                  const site::Policy& current);

// Has the scope, and a key that is not revoked.
[[nodiscard]] bool may_approve(const site::Approver& approver, const site::Policy& policy);
// Who of the tenant may still answer: as `Ada Obi (safety)`, in the policy's order. Nobody who has answered, and no
// requester unless the policy lets them.
[[nodiscard]] std::vector<std::string> may_still_answer(const site::Policy& policy, const std::string& tenant,
                                                        std::span<const std::string> answered,
                                                        std::span<const std::string> requesters);

struct Count {
  int have = 0, need = 1;
  std::vector<std::string> approvers;      // who counts, in the order of their answers
  std::vector<std::string> missing_roles;  // "safety: 1 more"
  std::optional<Answer> rejection;         // of the first person who rejected; one is final
  [[nodiscard]] bool is_open() const noexcept { return !rejection && have >= need && missing_roles.empty(); }
};
// Answers of keys that no longer count are left out; a person's or a key's second answer too.
[[nodiscard]] Count count(const Request& request, std::span<const Signed> responses, const site::Policy& current);

}  // namespace stella::approval
