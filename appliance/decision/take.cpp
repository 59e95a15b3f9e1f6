// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/take.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "appliance/decision/book.hpp"
#include "appliance/decision/claim.hpp"
#include "appliance/decision/turn.hpp"
#include "appliance/gate/stored.hpp"
#include "appliance/run/disturbance.hpp"
#include "appliance/run/record.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::decision {
namespace {

using fault::Code;

struct Incoming {
  const files::Home& home;
  journal::Journal& journal;
  const std::string& text;
  const std::string& name;
  clock::Time now;
};

[[noreturn]] void closed(const std::string& what, const std::string& run, const std::string& gate,
                         const std::string& fix = {}) {
  throw fault::Error(Code::approval_replayed, "closed", what, run + " gate " + gate, fix);
}

void require_waiting(const run::Record& record, const std::string& gate_id, const gate::Tally& tally) {
  const std::string& run = record.row.id;
  if (tally.standing == gate::Standing::rejected)
    closed(fmt::format("{} rejected gate {}", canon::printable(tally.decided_by), gate_id), run, gate_id);
  if (tally.standing == gate::Standing::open)
    closed(fmt::format("gate {} has all the approvals it needs", gate_id), run, gate_id,
           "stella pack runs resume --run " + run);
  if (tally.standing == gate::Standing::expired)
    throw fault::Error(Code::approval_expired, "expired",
                       fmt::format("the request expired at {}", clock::format(*tally.expires_at)),
                       run + " gate " + gate_id);
  if (record.row.state != "waiting" && record.row.state != "paused")
    closed(fmt::format("the run is {}", record.row.state), run, gate_id);
  if (tally.standing != gate::Standing::withdrawn && record.drift.empty()) return;
  if (tally.home_moved) throw fault::Error(Code::approval_replayed, "home-moved", tally.why, run + " gate " + gate_id);
  throw fault::Error(Code::approval_mismatch, "policy", tally.why.empty() ? record.drift : tally.why,
                     run + " gate " + gate_id);
}

void require_new_person(const approval::Voter& voter, const std::vector<gate::StoredResponse>& stored,
                        const std::string& gate_id) {
  for (const gate::StoredResponse& each : stored) {
    if (each.response.answer.approver != voter.name && each.response.key != voter.key) continue;
    throw fault::Error(Code::approval_replayed, "same-person",
                       fmt::format("{} has already decided gate {}", canon::printable(voter.name), gate_id), each.path);
  }
}

approval::Voter require_voter(const approval::Signed& response, const approval::Request& request,
                              const site::Policy& current) {
  approval::Voter voter = approval::require_voter(response.key, request, request.pinned, current);
  if (voter.name != response.answer.approver)
    throw fault::Error(Code::approval_roster, "name",
                       fmt::format("the response names {}, its key is {}'s", canon::printable(response.answer.approver),
                                   canon::printable(voter.name)));
  return voter;
}

canon::Json data_of(const approval::Signed& response) {
  const approval::Answer& answer = response.answer;
  return {{"decision", approval::decision_name(answer.decision)},
          {"approver", answer.approver},
          {"keyid", answer.approver_key_id},
          {"comment", answer.comment},
          {"requestId", answer.request_id},
          {"signedAt", clock::format(answer.signed_at)},
          {"seen", {{"size", answer.seen.size}, {"root", answer.seen.root.tagged()}}}};
}

// The response file is what counts; ledger and journal tell of it, and are completed here when a power cut came
// between.
void write_down(const Incoming& in, const run::Record& record, const approval::Signed& response) {
  const approval::Answer& answer = response.answer;
  const canon::Json data = data_of(response);
  Book book(in.home, in.journal, answer.tenant, record.current->policy);
  if (!book.has("response", response.digest))
    book.write({.kind = "response", .run = answer.run, .gate = answer.gate, .data = data, .dsse = response.digest},
               in.now);
  files::crash_point("take.after-ledger");
  if (has_event(in.journal.events(answer.run), "pack.approval.recorded", response.digest)) return;
  canon::Json event = data;
  event["gate"] = answer.gate;
  event["dsse"] = response.digest.tagged();
  const auto progress = record.progress.gates.find(answer.gate);
  const journal::NewEvent added{"pack.approval.recorded",
                                progress == record.progress.gates.end() ? "" : progress->second.step, std::move(event)};
  in.journal.append(answer.run, std::span(&added, 1), {}, in.now);
}

// So that the clock no longer ends a run whose gate has all it needs; the runner proves the gate again all the same.
void note_open(const Incoming& in, const run::Record& record, const Taken& taken) {
  const auto progress = record.progress.gates.find(taken.gate);
  if (progress == record.progress.gates.end() || progress->second.approved) return;
  const canon::Json data = {{"gate", taken.gate}, {"approvers", taken.tally.approvers}};
  const journal::NewEvent opened{"pack.gate.approved", progress->second.step, data};
  in.journal.append(taken.run, std::span(&opened, 1), {}, in.now);
}

// A chaos hook delays approvals: what has come in counts as not arrived yet.
std::optional<clock::Time> held_until(const run::Record& record, const std::string& gate, clock::Time now) {
  const auto known = record.progress.gates.find(gate);
  const plan::Step* step =
      known == record.progress.gates.end() ? nullptr : run::find_step(record.steps(), known->second.step);
  return step == nullptr ? std::nullopt : run::Hooks(record, now).approvals_held_until(*step);
}

Taken finish(const Incoming& in, const approval::Signed& response, bool is_new) {
  const approval::Answer& answer = response.answer;
  const run::Record record = run::load_record(in.home, in.journal, answer.run);
  write_down(in, record, response);
  const run::Record after = run::load_record(in.home, in.journal, answer.run);
  Taken taken{.is_new = is_new,
              .run = answer.run,
              .gate = answer.gate,
              .approver = answer.approver,
              .decision = answer.decision,
              .comment = answer.comment,
              .tally = gate::tally(run::subject_of(after), run::need_gate(after, answer.gate), in.now),
              .held_until = held_until(after, answer.gate, in.now)};
  if (taken.tally.standing == gate::Standing::open && !taken.held_until) note_open(in, after, taken);
  if (taken.tally.standing == gate::Standing::rejected)  // a no is never held back
    run::end_rejected(in.home, in.journal, after, taken.tally, in.now);
  return taken;
}

bool is_stored(const std::vector<gate::StoredResponse>& stored, const approval::Signed& response) {
  return std::ranges::any_of(stored,
                             [&](const gate::StoredResponse& each) { return each.response.digest == response.digest; });
}

Taken decide(const Incoming& in, const dsse::Envelope& envelope, const Claim& claim) {
  const approval::Signed response = approval::verify_response(envelope, claim.policies(), in.name);
  const std::string run_id = claim.run_of(response.answer);
  const Turn turn(in.journal.need(run_id).folder);
  const run::Record record = run::load_record(in.home, in.journal, run_id);
  const gate::Subject subject = run::subject_of(record);
  const std::string gate_id = claim.gate_of(response.answer, record);
  const auto stored = gate::find_request(subject, gate_id);
  if (!stored) closed("nobody asks for approval there now", run_id, gate_id);
  approval::require_answers(response, stored->request);
  const std::vector<gate::StoredResponse> others = gate::responses_to(subject, stored->request);
  const gate::Tally tally = gate::tally(subject, run::need_gate(record, gate_id), in.now);
  const bool is_active = record.row.state == "waiting" || record.row.state == "paused";
  if (is_active && is_stored(others, response)) return finish(in, response, false);
  require_waiting(record, gate_id, tally);
  if (in.now > stored->request.asked.expires_at)
    throw fault::Error(Code::approval_expired, "expired",
                       fmt::format("the request expired at {}", clock::format(stored->request.asked.expires_at)),
                       in.name);
  site::require_valid(record.current->policy, in.now);
  const approval::Voter voter = require_voter(response, stored->request, record.current->policy);
  require_new_person(voter, others, gate_id);
  const std::string path =
      record.row.folder + "/approvals/" + approval::response_file_name(stored->request, response.key);
  files::crash_point("take.before-response");
  files::write_atomically(path, in.text, 0600, files::Replace::no);
  files::crash_point("take.after-response");
  return finish(in, response, true);
}

void record_refusal(const Incoming& in, const Claim& claim, const fault::Error& error) {
  const site::Policy* policy = claim.current();
  if (policy == nullptr) return;
  const canon::Json data = {{"code", fault::info(error.code()).name},
                            {"reason", error.reason()},
                            {"message", canon::printable(error.what(), 1000)},
                            {"file", canon::printable(std::filesystem::path(in.name).filename().string(), 200)},
                            {"sha256", canon::sha256(in.text).tagged()}};
  Book book(in.home, in.journal, claim.tenant(), *policy);
  book.write({.kind = "refused", .run = claim.run(), .gate = claim.gate(), .data = data}, in.now);
  if (claim.run().empty() || in.journal.need(claim.run()).state != "waiting") return;
  canon::Json event = data;
  event["gate"] = claim.gate();
  const journal::NewEvent added{"pack.approval.refused", "", std::move(event)};
  in.journal.append(claim.run(), std::span(&added, 1), {}, in.now);
}

// What is written down about a refusal; a fault of this home (a full disk, a busy run) says nothing about the response.
bool is_refusal(const fault::Error& error) {
  switch (error.code()) {
    case Code::approval_malformed:
    case Code::approval_signature:
    case Code::approval_mismatch:
    case Code::approval_roster:
    case Code::approval_expired:
    case Code::approval_replayed:
    case Code::pack_hash_mismatch:
      return true;
    default:
      return false;
  }
}

}  // namespace

Taken take(const files::Home& home, journal::Journal& journal, const std::string& text, const std::string& name,
           clock::Time now) {
  const Incoming in{home, journal, text, name, now};
  Claim claim(home, journal);
  try {
    const dsse::Envelope envelope = approval::read_response(text, name);
    claim.read(envelope);
    return decide(in, envelope, claim);
  } catch (const fault::Error& error) {
    if (is_refusal(error)) record_refusal(in, claim, error);
    throw;
  }
}

}  // namespace stella::decision
