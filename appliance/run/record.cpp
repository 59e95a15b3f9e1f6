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
#include "bundles/canon/digest.hpp"
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

void check_plan(Record& record, const admission::Admitted& admitted) {
  const journal::RunRow& row = record.row;
  settle_plan(row);
  const std::string stored =
      files::read_input(plan_of(row.folder), {.max_bytes = 64 << 20, .links = files::Links::refuse});
  const canon::Digest hash = canon::sha256(stored);
  if (hash.tagged() != record.progress.plan_hash) throw not_as_stored(row, "plan.json is not the plan");
  const site::Applied planned_under = policy_of_run(row, *record.current);
  plan::Plan again = plan_own(row, admitted, &planned_under.policy);
  const canon::Digest hash_again = again.hash;
  // Large plans: none is read or made that is known to be another one's equal.
  record.plan = std::make_unique<plan::Plan>(
      hash_again == hash ? std::move(again) : plan::parse(stored, Code::pack_hash_mismatch, plan_of(row.folder)));
  if (hash_again == hash && planned_under.envelope_bytes == record.current->envelope_bytes) return;
  plan::Plan now = plan_own(row, admitted, &record.current->policy);
  record.drift = difference(*record.plan, now);
  if (hash_again != hash && hash_again != now.hash)
    throw not_as_stored(row, "pack, inputs or policy do not give the plan");
  if (!record.drift.empty()) record.fresh = std::make_unique<plan::Plan>(std::move(now));
}

void add_turns(const plan::Plan& plan, const plan::Step& group, const canon::Json& items, Made& made) {
  int number = 0;
  for (const canon::Json& item : items) {
    for (plan::Step& step : plan::instantiate(plan, group, number, item))
      made.push_back(std::make_unique<plan::Step>(std::move(step)));
    ++number;
  }
}

// A dynamic group may lease what its templates may.
std::vector<plan::Secret> secrets_of(const plan::Step& step) {
  std::vector<plan::Secret> all = step.secrets;
  for (const plan::Step& inner : step.body) {
    const auto more = secrets_of(inner);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

const GateProgress& need_waiting(const Record& record, const std::string& gate) {
  const auto found = record.progress.gates.find(gate);
  if (found != record.progress.gates.end() && found->second.waiting_seq > 0 && record.row.state == "waiting")
    return found->second;
  throw Error(Code::approval_replayed, "closed",
              fmt::format("gate {} of {} does not wait: the run is {}", gate, record.row.id, record.row.state), gate,
              fmt::format("See `stella pack runs show {}`.", record.row.id));
}

Record loaded(const files::Home& home, const journal::Journal& journal, const std::string& run) {
  Record record;
  record.row = journal.need(run);
  record.last_seq = journal.verify_each(run, [&](const journal::Event& event) { apply(record.progress, event); }).seq;
  if (auto applied = site::load_applied(home)) record.current = std::make_unique<site::Applied>(std::move(*applied));
  auto admitted = admit_own(home, record.row, record.current ? &record.current->policy : nullptr);
  check_plan(record, admitted);
  record.made = known_turns(*record.plan, record.progress);
  record.publishers = admitted.pack.publishers;
  record.undeclared = network::undeclared(admitted.manifest.network, &record.current->policy, admitted.manifest.name);
  record.pack = std::make_unique<packfile::Accepted>(std::move(admitted.pack));
  return record;
}

}  // namespace

Steps steps_of(const plan::Plan& plan, const Made& made) {
  Steps all;
  all.reserve(plan.steps.size() + made.size());
  for (const plan::Step& step : plan.steps) all.push_back(&step);
  for (const auto& step : made) all.push_back(step.get());
  return all;
}

Steps Record::steps() const {
  return steps_of(*plan, made);
}

std::vector<const plan::Step*> make_turns(Record& record, const plan::Step& group, const canon::Json& items) {
  const std::size_t before = record.made.size();
  add_turns(*record.plan, group, items, record.made);
  std::vector<const plan::Step*> turns;
  for (std::size_t i = before; i < record.made.size(); ++i) turns.push_back(record.made[i].get());
  return turns;
}

Made known_turns(const plan::Plan& plan, const Progress& progress) {
  Made made;
  const auto make = [&](const plan::Step& step) {
    const canon::Json& decided = progress.step(step.id).decided;
    if (const auto items = decided.find("items"); step.dynamic && items != decided.end())
      add_turns(plan, step, *items, made);
  };
  for (const plan::Step& step : plan.steps) make(step);
  for (std::size_t i = 0; i < made.size(); ++i) make(plan::Step(*made[i]));  // grows: turns in turns
  return made;
}

Record load_record(const files::Home& home, const journal::Journal& journal, const std::string& run) {
  try {
    return loaded(home, journal, run);
  } catch (const Error& error) {
    if (error.reason() != "read-only") throw;
    throw Error(Code::artifact_store, "read-only", fmt::format("{} cannot be taken up: {}", run, error.what()),
                error.at(), fmt::format("Make the disk writable, then `stella pack runs resume --run {}`.", run));
  }
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
  const Steps steps = record.steps();
  for (const plan::Step* step : steps) {
    if (step->kind != plan::Kind::gate_approval) continue;
    all.push_back(step->gate.id);
    const auto found = record.progress.gates.find(step->gate.id);
    if (found != record.progress.gates.end() && found->second.waiting_seq > 0 &&
        !is_done(record.progress.step(step->id).state))
      waiting.push_back(step->gate.id);
  }
  if (wanted.empty() && waiting.size() == 1) return find_gate_step(steps, waiting.front())->gate;
  if (wanted.empty())
    throw Error(
        Code::usage, "gate",
        waiting.empty() ? fmt::format("no gate of {} waits", record.row.id)
                        : fmt::format("several gates wait: {}", fmt::join(waiting, ", ")),
        record.row.id,
        waiting.empty() ? fmt::format("See `stella pack runs show {}`.", record.row.id) : "Name one with --gate.");
  if (const plan::Step* step = find_gate_step(steps, wanted)) return step->gate;
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
  const std::vector<std::string> released = released_by(record.steps(), gate);
  std::set<std::pair<std::string, std::string>> seen;
  std::vector<ReviewedSecret> secrets;
  const std::set<std::string> behind(released.begin(), released.end());
  for (const plan::Step* step : record.steps()) {
    if (!behind.contains(step->id)) continue;
    for (const plan::Secret& secret : secrets_of(*step)) {
      if (!seen.insert({secret.name, secret.scope}).second) continue;
      secrets.push_back(
          {secret.name, secret.scope,
           vault == nullptr ? std::nullopt : vault->version_of(record.row.tenant, {secret.name, secret.scope})});
    }
  }
  return secrets;
}

}  // namespace stella::run
