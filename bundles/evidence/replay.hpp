// SPDX-License-Identifier: Apache-2.0
// Replays the decisions behind a run from trusted admin keys down (security.md rule 6): policy -> appliance -> list and
// attestation -> publisher -> pack -> approvers -> gates. Keys on the medium are never trusted. Any thread.
//
// Errors: those of check.hpp; ERR_EVIDENCE_UNTRUSTED (policy, unknown-signer, publisher, gate, home, and those of
// floor.hpp) when something
// that should be signed by a listed key is not; ERR_EVIDENCE_TAMPERED (plan-hash, journal, attestation, request,
// response) when parts contradict each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundles/evidence/check.hpp"
#include "bundles/site/policy.hpp"

namespace stella::evidence {

struct Report {
  std::string run, tenant, state, appliance, home_kind, previous, plan_hash;
  std::int64_t number = 0;
  std::vector<std::string> proven;  // sentences: what is proven and by whom
  std::vector<std::string> word;    // what rests on the appliance's word
};
[[nodiscard]] Report replay(const Integrity& integrity, const site::TrustRule& trust);

}  // namespace stella::evidence
