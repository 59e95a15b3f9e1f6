// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/record.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "appliance/network/decision.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/live.hpp"
#include "appliance/run/replan.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

Error not_as_stored(const journal::RunRow& row, const std::string& what) {
  return Error(Code::pack_hash_mismatch, "stored", fmt::format("{} of {}", what, row.id), row.id,
               "Somebody wrote to the run's folder. Keep it, tell your security people, and run the pack anew.");
}

// The hash that the journal's chain recorded last; the row's column is only a cache of it.
std::string recorded_hash(const Record& record) {
  std::string hash;
  for (const journal::Event& event : record.events) {
    const auto found = event.data.find("planHash");
    if (found != event.data.end() && found->is_string()) hash = found->get<std::string>();
  }
  return hash;
}

void check_plan(Record& record, const admission::Admitted& admitted) {
  const journal::RunRow& row = record.row;
  settle_plan(row);
  const std::string stored =
      files::read_input(plan_of(row.folder), {.max_bytes = 64 << 20, .links = files::Links::refuse});
  record.plan = std::make_unique<plan::Plan>(plan::parse(stored, Code::pack_hash_mismatch, plan_of(row.folder)));
  if (record.plan->hash_text() != recorded_hash(record)) throw not_as_stored(row, "plan.json is not the plan");
  const site::Applied planned_under = policy_of_run(row, *record.current);
  plan::Plan again = plan_own(row, admitted, &planned_under.policy);
  plan::Plan now = plan_own(row, admitted, &record.current->policy);
  record.drift = difference(*record.plan, now);
  if (again.hash != record.plan->hash && again.hash != now.hash)
    throw not_as_stored(row, "pack, inputs or policy do not give the plan");
  if (again.hash == record.plan->hash) record.plan = std::make_unique<plan::Plan>(std::move(again));
}

const plan::Gate* find_gate(const plan::Plan& plan, const std::string& id) {
  for (const plan::Step& step : plan.steps) {
    if (step.kind == plan::Kind::gate_approval && step.gate.id == id) return &step.gate;
  }
  return nullptr;
}

const GateProgress& need_waiting(const Record& record, const std::string& gate) {
  const auto found = record.progress.gates.find(gate);
  if (found != record.progress.gates.end() && found->second.waiting_seq > 0 && record.row.state == "waiting")
    return found->second;
  throw Error(Code::approval_replayed, "closed",
              fmt::format("gate {} of {} does not wait: the run is {}", gate, record.row.id, record.row.state), gate,
              fmt::format("See `stella pack runs show {}`.", record.row.id));
}

}  // namespace

Record load_record(const files::Home& home, const journal::Journal& journal, const std::string& run) {
  Record record;
  record.row = journal.need(run);
  journal.verify_chain(run);
  record.events = journal.events(run);
  record.progress = progress_of(record.events);
  if (auto applied = site::load_applied(home)) record.current = std::make_unique<site::Applied>(std::move(*applied));
  auto admitted = admit_own(home, record.row, record.current ? &record.current->policy : nullptr);
  check_plan(record, admitted);
  record.publishers = admitted.pack.publishers;
  record.undeclared = network::undeclared(admitted.manifest.network, &record.current->policy, admitted.manifest.name);
  record.pack = std::make_unique<packfile::Accepted>(std::move(admitted.pack));
  return record;
}

gate::Subject subject_of(const Record& record) {
  return {.run = record.row.id,
          .tenant = record.row.tenant,
          .folder = record.row.folder,
          .attempt = record.progress.attempt,
          .requester = record.row.requested_by,
          .plan = record.plan.get(),
          .current = record.current.get()};
}

const plan::Gate& need_gate(const Record& record, const std::string& wanted) {
  std::vector<std::string> all, waiting;
  for (const plan::Step& step : record.plan->steps) {
    if (step.kind != plan::Kind::gate_approval) continue;
    all.push_back(step.gate.id);
    const auto found = record.progress.gates.find(step.gate.id);
    if (found != record.progress.gates.end() && found->second.waiting_seq > 0 &&
        !is_done(record.progress.step(step.id).state))
      waiting.push_back(step.gate.id);
  }
  if (wanted.empty() && waiting.size() == 1) return *find_gate(*record.plan, waiting.front());
  if (wanted.empty())
    throw Error(
        Code::usage, "gate",
        waiting.empty() ? fmt::format("no gate of {} waits", record.row.id)
                        : fmt::format("several gates wait: {}", fmt::join(waiting, ", ")),
        record.row.id,
        waiting.empty() ? fmt::format("See `stella pack runs show {}`.", record.row.id) : "Name one with --gate.");
  if (const plan::Gate* gate = find_gate(*record.plan, wanted)) return *gate;
  const auto guess = canon::nearest(wanted, all);
  throw Error(Code::usage, "gate",
              fmt::format("the plan has no gate `{}`{}", canon::printable(wanted, 80),
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              record.row.id, fmt::format("Its gates are: {}.", fmt::join(all, ", ")));
}

gate::State state_now(const Record& record, const std::string& gate) {
  const GateProgress& waiting = need_waiting(record, gate);
  return gate::state_of(record.row.folder, record.progress.outputs(), waiting.waiting_seq, waiting.waiting_head);
}

clock::Time expiry_of(const Record& record, const std::string& gate) {
  return *need_waiting(record, gate).expires_at;
}

std::vector<ReviewedSecret> secrets_behind(const Record& record, const std::string& gate, lease::Source* vault) {
  const std::vector<std::string> released = released_by(*record.plan, gate);
  std::set<std::pair<std::string, std::string>> seen;
  std::vector<ReviewedSecret> secrets;
  for (const plan::Step& step : record.plan->steps) {
    if (std::find(released.begin(), released.end(), step.id) == released.end()) continue;
    for (const plan::Secret& secret : step.secrets) {
      if (!seen.insert({secret.name, secret.scope}).second) continue;
      secrets.push_back(
          {secret.name, secret.scope,
           vault == nullptr ? std::nullopt : vault->version_of(record.row.tenant, {secret.name, secret.scope})});
    }
  }
  return secrets;
}

}  // namespace stella::run
