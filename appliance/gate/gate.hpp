// SPDX-License-Identifier: Apache-2.0
// Gates are proved, not remembered (security.md rule 3): how a gate stands is read from the stored request and response
// envelopes at every call, under the applied policy; database columns never decide. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/plan/plan.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/site/policy.hpp"

namespace stella::gate {

struct State {  // what was there when the request was made; contract section 10, rule 4
  std::int64_t journal_seq = 0;
  std::string journal_head;
  canon::Digest work, artifacts, outputs;
};

struct Subject {                    // a run as its gates see it
  std::string run, tenant, folder;  // folder holds approvals/REQ-*.json and RES-*.json
  int attempt = 1;
  std::string requester;
  const plan::Plan* plan;
  const site::Applied* current;  // the home's applied policy now
};

enum class Standing { no_request, waiting, open, rejected, expired, withdrawn };
struct Tally {
  std::string gate;
  Standing standing = Standing::no_request;
  int have = 0, need = 1;
  std::vector<std::string> approvers;      // names that count
  std::vector<std::string> missing_roles;  // "safety: 1 more"
  std::optional<clock::Time> expires_at;
  std::string request_path;         // of the open request, empty when there is none
  std::string decided_by, comment;  // of a rejection
  std::string why;                  // of `withdrawn`: what the newer policy changed, or that the home was moved
  bool home_moved = false;
};
// Reads and verifies every stored envelope of this attempt. ERR_PACK_HASH_MISMATCH reason approved when the request is
// for another plan; damaged or foreign files in approvals/ are ERR_APPROVAL_*.
[[nodiscard]] Tally tally(const Subject& subject, const plan::Gate& gate, clock::Time now);

// Proof that a gate was open at one moment for one attempt, with the state the approvers saw. Only clear() makes it.
class Cleared {
 public:
  [[nodiscard]] const std::string& gate() const noexcept { return gate_; }
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  friend Cleared clear(const Subject&, const plan::Gate&, const State&, clock::Time);
  friend Cleared clear_again(const Subject&, const plan::Gate&, clock::Time);
  Cleared(std::string gate, Tally tally) : gate_(std::move(gate)), tally_(std::move(tally)) {}
  std::string gate_;
  Tally tally_;
};
// Before the first step it releases starts. Throws ERR_PACK_APPROVAL_REQUIRED, _REJECTED, _TIMEOUT;
// ERR_PACK_HASH_MISMATCH reason approved; ERR_APPROVAL_MISMATCH reason state (what is in /work, artifacts or outputs is
// not what was approved) or policy; ERR_APPROVAL_REPLAYED reason home-moved.
[[nodiscard]] Cleared clear(const Subject& subject, const plan::Gate& gate, const State& now_there, clock::Time now);

// The same proof for an attempt in which released steps have started before a crash: all but the state, which those
// steps have changed since.
[[nodiscard]] Cleared clear_again(const Subject& subject, const plan::Gate& gate, clock::Time now);

// The state to put in a request, and to compare with one: SHA-256 of the RFC 8785 listings of work/ and artifacts/ of
// the run folder and of the outputs object.
[[nodiscard]] State state_of(const std::string& run_folder, const canon::Json& outputs, std::int64_t journal_seq,
                             const std::string& journal_head);

}  // namespace stella::gate
