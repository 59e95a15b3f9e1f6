// SPDX-License-Identifier: Apache-2.0
// Takes in what an approver decided. Never runs a step. One thread; two processes at once are serialised per run.
//
// Order of checks, the first failure is named: size and form, base64, key by trial over the policies' approvers,
// signature, payload, predicate type, request known here, tenant, run, attempt, gate, plan hash, nonce, gate not
// closed, time, signer by the pinned and by the current policy, scope, not the requester, person not counted yet. A
// refusal adds a line to the ledger and an event to the run, and changes nothing else.
#pragma once

#include <optional>
#include <string>

#include "appliance/gate/gate.hpp"
#include "appliance/journal/journal.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::decision {

struct Taken {
  bool is_new = true;  // false: this very file was already recorded
  std::string run, gate, approver;
  approval::Decision decision = approval::Decision::approved;
  std::string comment;
  gate::Tally tally;
  std::optional<clock::Time> held_until = {};  // a chaos hook delays approvals: it counts from then on
};
// `text` is the response file's content, `name` what to call it. Throws what refuses it, after the refusal was
// recorded. A rejection is recorded and returned; ending the run is part of it.
[[nodiscard]] Taken take(const files::Home& home, journal::Journal& journal, const std::string& text,
                         const std::string& name, clock::Time now);

}  // namespace stella::decision
