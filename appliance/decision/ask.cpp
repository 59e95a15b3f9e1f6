// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/ask.hpp"

#include <fmt/format.h>

#include "appliance/decision/book.hpp"
#include "appliance/decision/turn.hpp"
#include "appliance/gate/stored.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::decision {
namespace {

using fault::Code;

struct Case {  // one gate of one run, as it stands
  const files::Home& home;
  journal::Journal& journal;
  const Wish& wish;
  clock::Time now;
  run::Record record;
  std::string gate;
  std::optional<gate::StoredRequest> open;
};

[[noreturn]] void fail_closed(const Case& at, const gate::Tally& tally) {
  const std::string place = at.wish.run + " gate " + at.gate;
  if (tally.standing == gate::Standing::rejected)
    throw fault::Error(Code::pack_approval_rejected, "rejected",
                       fmt::format("{} rejected gate {}", canon::printable(tally.decided_by), at.gate), place);
  if (tally.standing == gate::Standing::expired)
    throw fault::Error(Code::pack_approval_timeout, "expired",
                       fmt::format("gate {} ran out at {}", at.gate, clock::format(*tally.expires_at)), place);
  if (tally.standing == gate::Standing::open)
    throw fault::Error(Code::approval_replayed, "closed",
                       fmt::format("gate {} has all the approvals it needs", at.gate), place,
                       "stella pack runs resume --run " + at.wish.run);
  throw fault::Error(Code::approval_mismatch, "policy", tally.why, place,
                     "Cancel the run and resume it: the new attempt plans and asks anew");
}

bool must_be_new(const Case& at, const gate::Tally& tally) {
  if (tally.standing == gate::Standing::no_request) return true;
  if (tally.standing == gate::Standing::withdrawn && tally.home_moved) return true;
  if (tally.standing != gate::Standing::waiting) fail_closed(at, tally);
  return at.wish.extend.has_value();
}

std::string requester(const run::Record& record) {
  return site::operator_name(record.current->policy.find_tenant(record.row.tenant));
}

std::vector<approval::StepDone> steps_done(const run::Record& record) {
  std::vector<approval::StepDone> done;
  for (const plan::Step& step : record.plan->steps) {
    const run::StepProgress& progress = record.progress.step(step.id);
    if (!run::is_done(progress.state)) continue;
    approval::StepDone row{step.id, run::name_of(progress.state), progress.exit_status, std::nullopt};
    if (!progress.log_digest.empty())
      row.log = canon::parse_digest(progress.log_digest, Code::journal_tampered, step.id);
    done.push_back(std::move(row));
  }
  return done;
}

std::vector<run::ReviewedSecret> reviewed_secrets(const Case& at, const std::string& gate) {
  std::vector<run::ReviewedSecret> sealed = run::secrets_behind(at.record, gate, nullptr);
  if (sealed.empty() || !at.wish.vault) return sealed;
  const std::unique_ptr<lease::Source> vault = at.wish.vault();
  return run::secrets_behind(at.record, gate, vault.get());
}

approval::Asked asked_of(const Case& at, const plan::Gate& gate, const site::Identity& identity) {
  const run::Record& record = at.record;
  approval::Asked asked;
  asked.request_id = canon::random_hex(16);
  asked.nonce = canon::random_hex(32);
  if (at.open) asked.supersedes = at.open->request.asked.request_id;
  asked.appliance = identity.id;
  asked.home_kind = site::home_kind(at.home);
  asked.home_mark = site::look_at_home(at.home).mark;
  asked.tenant = record.row.tenant;
  asked.run = record.row.id;
  asked.attempt = record.progress.attempt;
  asked.requested_by = record.row.requested_by;
  asked.requesters = record.progress.requesters;
  asked.pack_name = record.plan->pack_name;
  asked.pack_version = record.plan->pack_version;
  asked.pack_digest = record.plan->pack_digest;
  for (const auto& each : record.publishers) asked.publishers.push_back({each.name, each.key_id});
  asked.gate = gate.id;
  asked.threshold = gate.threshold;
  asked.roles = gate.roles;
  asked.stella_version = at.wish.tool.version;
  asked.stella_digest = at.wish.tool.digest;
  for (const run::ReviewedSecret& each : reviewed_secrets(at, gate.id))
    asked.secrets.push_back({each.name, each.scope, each.version});
  asked.steps_done = steps_done(record);
  const gate::State state = run::state_now(record, gate.id);
  asked.state = {state.journal_seq, state.journal_head, state.work, state.artifacts, state.outputs};
  asked.issued_at = at.now;
  asked.expires_at = run::expiry_of(record, gate.id);
  return asked;
}

void write_down(Case& at, Book& book, const approval::Request& request) {
  const approval::Asked& asked = request.asked;
  const canon::Json data = {{"requestId", asked.request_id},
                            {"planHash", request.plan_hash.tagged()},
                            {"attempt", asked.attempt},
                            {"threshold", asked.threshold},
                            {"expiresAt", clock::format(asked.expires_at)},
                            {"supersedes", asked.supersedes ? canon::Json(*asked.supersedes) : canon::Json()},
                            {"requesters", asked.requesters}};
  if (!has_event(at.journal.events(asked.run), "pack.approval.requested", request.payload_digest)) {
    canon::Json event = data;
    event["gate"] = asked.gate;
    event["dsse"] = request.payload_digest.tagged();
    const journal::NewEvent added{"pack.approval.requested", at.record.progress.gates.at(asked.gate).step,
                                  std::move(event)};
    at.journal.append(asked.run, std::span(&added, 1), {}, at.now);
  }
  if (!book.has("request", request.payload_digest))
    book.write({.kind = "request", .run = asked.run, .gate = asked.gate, .data = data, .dsse = request.payload_digest},
               at.now);
}

Made make(Case& at, Book& book, const plan::Gate& gate) {
  approval::Draft draft;
  draft.asked = asked_of(at, gate, book.identity());
  draft.plan = at.record.plan->bytes;
  draft.site = at.record.current->envelope_bytes;
  draft.checkpoint = book.checkpoint();
  draft.leaves = book.ledger().view().leaves;
  approval::Request request = approval::make_request(std::move(draft), book.identity().key);
  const std::string folder = at.record.row.folder + "/approvals";
  files::make_folders(folder);
  const std::string path = folder + "/" + approval::request_file_name(request);
  files::crash_point("ask.before-request");
  files::write_atomically(path, request.parcel.bytes, 0600, files::Replace::no);
  files::crash_point("ask.after-request");
  return {std::move(request), path, true};
}

}  // namespace

Made ask(const files::Home& home, journal::Journal& journal, const Wish& wish, clock::Time now) {
  const Turn turn(journal.need(wish.run).folder);
  Case at{home, journal, wish, now, run::load_record(home, journal, wish.run), {}, {}};
  if (!at.record.current)
    throw fault::Error(Code::approval_roster, "too-few", "no site policy is applied here, so nobody can approve",
                       wish.run);
  site::require_valid(at.record.current->policy, now);
  at.gate = run::need_gate(at.record, wish.gate).id;
  const gate::Subject subject = run::subject_of(at.record);
  gate::Tally tally = gate::tally(subject, run::need_gate(at.record, at.gate), now);
  if (tally.standing != gate::Standing::rejected && !at.record.drift.empty()) {
    tally.standing = gate::Standing::withdrawn;
    tally.home_moved = false;
    tally.why = at.record.drift;
    fail_closed(at, tally);
  }
  at.open = gate::find_request(subject, at.gate);
  Book book(home, journal, at.record.row.tenant, at.record.current->policy);
  if (!must_be_new(at, tally)) {
    Made again{std::move(at.open->request), at.open->path, false};
    write_down(at, book, again.request);  // a power cut may have come between the file and the ledger
    return again;
  }
  if (wish.extend) {
    run::extend_gate(journal, at.record, at.gate, *wish.extend, {.who = requester(at.record), .via = wish.via}, now);
    at.record = run::load_record(home, journal, wish.run);
  }
  if (site::look_at_home(home).moved) {
    site::settle_home(home);
    const canon::Json data = {{"mark", site::look_at_home(home).mark}};
    book.write({.kind = "home", .run = wish.run, .gate = at.gate, .data = data}, now);
  }
  Made made = make(at, book, run::need_gate(at.record, at.gate));
  write_down(at, book, made.request);
  return made;
}

}  // namespace stella::decision
