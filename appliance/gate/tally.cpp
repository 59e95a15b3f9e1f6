// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/gate/gate.hpp"
#include "appliance/gate/stored.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/home.hpp"
#include "bundles/site/identity.hpp"

namespace stella::gate {
namespace {

using fault::Code;

// What a newer policy asks beyond what this gate was made with; empty: nothing (security.md rule 3).
std::string stricter(const Subject& subject, const plan::Gate& gate) {
  const site::Policy& policy = subject.current->policy;
  const plan::Plan& plan = *subject.plan;
  if (const site::Denied* denied = policy.find_denied(plan.pack_name + ":" + plan.pack_version, plan.pack_digest))
    return fmt::format("policy version {} denies the pack: {}", policy.version, canon::printable(denied->reason));
  for (const site::Requirement& each : policy.require) {
    if (!site::matches_any(each.packs, plan.pack_name)) continue;
    if (each.threshold > gate.threshold)
      return fmt::format("policy version {} asks for {} approvals, the request for {}", policy.version, each.threshold,
                         gate.threshold);
    for (const auto& [role, least] : each.roles) {
      const auto have = gate.roles.find(role);
      if (have == gate.roles.end() || have->second < least)
        return fmt::format("policy version {} asks for {} {}", policy.version, least, canon::printable(role));
    }
  }
  return {};
}

void require_same_plan(const Subject& subject, const StoredRequest& stored) {
  if (stored.request.plan_hash == subject.plan->hash) return;
  throw fault::Error(Code::pack_hash_mismatch, "approved",
                     fmt::format("approval was asked for plan {}, this is plan {}", stored.request.plan_hash.tagged(),
                                 subject.plan->hash.tagged()),
                     stored.path);
}

Standing standing_of(const Tally& tally, const approval::Count& count, clock::Time now) {
  if (count.rejection) return Standing::rejected;
  if (!tally.why.empty()) return Standing::withdrawn;
  if (count.is_open()) return Standing::open;
  return tally.expires_at && now > *tally.expires_at ? Standing::expired : Standing::waiting;
}

std::string who_is_missing(const Tally& tally) {
  std::string text = fmt::format("gate {} needs {} {}, has {}", tally.gate, tally.need,
                                 tally.need == 1 ? "approval" : "approvals", tally.have);
  if (!tally.approvers.empty()) text += fmt::format(" ({})", fmt::join(tally.approvers, ", "));
  if (!tally.missing_roles.empty()) text += fmt::format("; still missing {}", fmt::join(tally.missing_roles, ", "));
  return canon::printable(text);
}

void require_open(const Subject& subject, const Tally& tally) {
  const std::string at = subject.run + " gate " + tally.gate;
  switch (tally.standing) {
    case Standing::open:
      return;
    case Standing::rejected:
      throw fault::Error(Code::pack_approval_rejected, "rejected",
                         fmt::format("{} rejected gate {}: {}", canon::printable(tally.decided_by), tally.gate,
                                     canon::printable(tally.comment)),
                         at);
    case Standing::withdrawn:
      if (tally.home_moved) throw fault::Error(Code::approval_replayed, "home-moved", tally.why, at);
      throw fault::Error(Code::approval_mismatch, "policy", tally.why, at);
    case Standing::expired:
      throw fault::Error(Code::pack_approval_timeout, "expired",
                         fmt::format("gate {} ran out at {}", tally.gate, clock::format(*tally.expires_at)), at);
    case Standing::no_request:
    case Standing::waiting:
      throw fault::Error(
          Code::pack_approval_required, "approval", who_is_missing(tally), at,
          fmt::format("stella pack approve --run {} --gate {} --offline-request", subject.run, tally.gate));
  }
  throw fault::Error(Code::internal, "standing", "a gate stands in no known way", at);
}

void require_state(const Subject& subject, const StoredRequest& stored, const State& there) {
  const approval::Witnessed& asked = stored.request.asked.state;
  const auto require = [&](bool same, std::string_view what) {
    if (same) return;
    throw fault::Error(Code::approval_mismatch, "state", fmt::format("{} changed since approval was asked for", what),
                       subject.run,
                       fmt::format("Find out who changed it; then stella pack runs cancel --run {0} and stella pack "
                                   "runs resume --run {0} ask anew",
                                   subject.run));
  };
  require(asked.journal_seq == there.journal_seq && asked.journal_head == there.journal_head, "the journal");
  require(asked.work == there.work, "the work folder");
  require(asked.artifacts == there.artifacts, "the artifacts folder");
  require(asked.outputs == there.outputs, "what steps put out");
}

}  // namespace

Tally tally(const Subject& subject, const plan::Gate& gate, clock::Time now) {
  Tally tally;
  tally.gate = gate.id;
  tally.need = gate.threshold;
  const auto stored = find_request(subject, gate.id);
  if (!stored) return tally;
  require_same_plan(subject, *stored);
  const approval::Count counted = count(stored->request, responses_to(subject, stored->request), subject);
  tally.have = counted.have;
  tally.approvers = counted.approvers;
  tally.missing_roles = counted.missing_roles;
  tally.expires_at = stored->request.asked.expires_at;
  tally.request_path = stored->path;
  if (counted.rejection) {
    tally.decided_by = counted.rejection->approver;
    tally.comment = counted.rejection->comment;
  }
  tally.home_moved =
      site::look_at_home(files::Home::open(home_of(subject.folder))).mark != stored->request.asked.home_mark;
  tally.why = tally.home_moved ? "this home was copied or restored since approval was asked for: ask again"
                               : stricter(subject, gate);
  tally.standing = standing_of(tally, counted, now);
  return tally;
}

Cleared clear_again(const Subject& subject, const plan::Gate& gate, clock::Time now) {
  Tally found = tally(subject, gate, now);
  require_open(subject, found);
  return {gate.id, std::move(found)};
}

Cleared clear(const Subject& subject, const plan::Gate& gate, const State& now_there, clock::Time now) {
  Cleared cleared = clear_again(subject, gate, now);
  require_state(subject, *find_request(subject, gate.id), now_there);
  return cleared;
}

}  // namespace stella::gate
