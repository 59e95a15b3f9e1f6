// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/gates.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "appliance/journal/states.hpp"
#include "appliance/run/disturbance.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/view.hpp"
#include "bundles/approval/request.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

Error still_waiting(const std::string& run, const gate::Tally& tally) {
  std::string what = fmt::format("gate {} needs {} approval{}, has {}", tally.gate, tally.need,
                                 tally.need == 1 ? "" : "s", tally.have);
  if (!tally.missing_roles.empty()) what += fmt::format(" (missing {})", fmt::join(tally.missing_roles, ", "));
  if (tally.expires_at) what += fmt::format("; it runs out at {}", clock::format(*tally.expires_at));
  if (!tally.why.empty()) what += fmt::format("; the last request is void: {}", tally.why);
  const std::string fix =
      tally.standing == gate::Standing::waiting
          ? fmt::format("stella pack approve --offline-response RES-{}-….json   (the request is {})",
                        approval::gate_in_file_name(tally.gate), tally.request_path)
          : fmt::format("stella pack approve --run {} --gate {} --offline-request --out REQ-{}.json", run,
                        shell_word(tally.gate), approval::gate_in_file_name(tally.gate));
  return Error(Code::pack_approval_required, "gate", what, run, fix);
}

// A chaos hook holds back what has arrived.
Error held(const std::string& run, const gate::Tally& tally, clock::Time until) {
  return Error(Code::pack_approval_required, "delayed",
               fmt::format("gate {} has its approvals, and a chaos hook holds them back until {}", tally.gate,
                           clock::format(until)),
               run, fmt::format("After that time: stella pack runs resume --run {}", run));
}

Error waits_for(Live& live, const plan::Step& step, const gate::Tally& tally) {
  const auto until = Hooks(live).approvals_held_until(step);
  const bool is_held = until && tally.standing == gate::Standing::open;
  return is_held ? held(live.id(), tally, *until) : still_waiting(live.id(), tally);
}

Error timed_out(const std::string& run, const std::string& gate) {
  return Error(Code::pack_approval_timeout, "expired", fmt::format("gate {} ran out before it was approved", gate), run,
               fmt::format("`stella pack runs resume --run {}` makes a new attempt, which asks again; --extend "
                           "DURATION gives it more time.",
                           run));
}

void begin_waiting(Live& live, const plan::Step& step) {
  const auto known = live.progress().gates.find(step.gate.id);
  if (known != live.progress().gates.end() && known->second.waiting_seq > 0) {
    if (live.record().row.state != "waiting") live.say({}, {.state = "waiting", .code = "", .reason = ""});
    return;
  }
  const auto time = live.choices().extend.value_or(step.gate.expires_after);
  gate::Tally none;
  none.gate = step.gate.id;
  none.need = step.gate.threshold;
  live.say({waiting_event(step, live.now() + time, {})}, change_to("waiting", still_waiting(live.id(), none)));
  files::crash_point("gate.waiting");
}

// Whoever asked for the run, resumed it or gave it more time does not count (security.md rule 7); the gate knows the
// last of them, the journal all.
void refuse_requesters(const Record& record, const gate::Tally& tally) {
  if (record.current && record.current->policy.allow_requester_to_approve) return;
  for (const std::string& name : tally.approvers) {
    const auto& all = record.progress.requesters;
    if (std::find(all.begin(), all.end(), name) == all.end()) continue;
    throw Error(Code::approval_roster, "requester",
                fmt::format("{} asked for this run or resumed it, and cannot approve gate {}", name, tally.gate),
                record.row.id, "Ask another approver.");
  }
}

void record_open(Live& live, const plan::Step& step, const gate::Cleared& cleared) {
  std::vector<journal::NewEvent> events;
  if (!live.progress().gates.at(step.gate.id).approved)
    events.push_back(
        event_of("pack.gate.approved", {{"gate", step.gate.id}, {"approvers", cleared.tally().approvers}}, step.id));
  events.push_back(event_of(
      "pack.step.finished",
      {{"state", "succeeded"}, {"kind", "gate.approval"}, {"gate", step.gate.id}, {"digest", step.digest.tagged()}},
      step.id));
  live.say(std::move(events), {.state = "running", .code = "", .reason = ""});
  live.record().approved_by[step.gate.id] = cleared.tally().approvers;
  files::crash_point("gate.approved");
}

// One look at the gate: decided, or nothing yet.
std::optional<GateResult> look(Live& live, const plan::Step& step, gate::Tally& tally) {
  const Record& record = live.record();
  tally = gate::tally(subject_of(record), step.gate, live.now());
  if (tally.standing == gate::Standing::rejected) {
    end_rejected(*live.tools().home, *live.tools().journal, record, tally, live.now());
    live.refresh();
    return GateResult{GateEnd::ended, rejected(live.id(), tally)};
  }
  if (tally.standing == gate::Standing::open && !Hooks(live).approvals_held_until(step)) {
    site::require_valid(record.current->policy, live.now());
    refuse_requesters(record, tally);
    record_open(live, step, gate::clear(subject_of(record), step.gate, state_now(record, step.gate.id), live.now()));
    return GateResult{GateEnd::open, std::nullopt};
  }
  if (expire_if_due(*live.tools().home, *live.tools().journal, live.id(), live.now())) {
    live.refresh();
    return GateResult{GateEnd::ended, timed_out(live.id(), step.gate.id)};
  }
  return std::nullopt;
}

void prove_again(Live& live, const plan::Step& step) {
  const gate::Cleared cleared = gate::clear_again(subject_of(live.record()), step.gate, live.now());
  refuse_requesters(live.record(), cleared.tally());
  live.record().approved_by[step.gate.id] = cleared.tally().approvers;
}

// Whether a skipped gate is one that this run does not come to: its own condition, or that of the case it stands in.
bool is_left_out(Live& live, const plan::Step& step) {
  if (!step.when.empty() && !holds_at(live, step.when, step)) return true;
  const Steps steps = live.record().steps();
  const plan::Step* around = find_step(steps, step.parent);
  if (step.branch < 0 || around == nullptr || around->kind != plan::Kind::conditional) return false;
  std::size_t taken = 0;
  while (taken < around->cases.size() && !holds_at(live, around->cases[taken], *around)) ++taken;
  return static_cast<int>(taken) != step.branch;
}

// A passed gate that needs no proof: one that was skipped because its condition does not hold or its case was not
// taken, or a reused one behind which nothing runs in this attempt. Neither is taken from the journal's word: the
// condition is evaluated and the steps are looked at again.
bool holds_nothing(Live& live, const plan::Step& step, const std::vector<std::string>& released) {
  if (live.progress().step(step.id).state == StepState::skipped) return is_left_out(live, step);
  return !live.progress().gates.contains(step.gate.id) &&
         std::all_of(released.begin(), released.end(),
                     [&](const auto& id) { return is_done(live.progress().step(id).state); });
}

// A policy that was applied while this process waits: it may have taken away a key, a pack or a host, also from what
// other gates were opened with.
void follow_policy(Live& live) {
  Record& record = live.record();
  const auto applied = site::load_applied(*live.tools().home);
  if (!applied || (record.current && applied->envelope_bytes == record.current->envelope_bytes)) return;
  Record fresh = load_record(*live.tools().home, *live.tools().journal, live.id());
  if (!fresh.drift.empty())
    throw Error(
        Code::approval_mismatch, "policy",
        fmt::format("the site policy changed while the gate waited ({}): the plan must be made anew", fresh.drift),
        live.id(), fmt::format("stella pack runs resume --run {}", live.id()));
  record.current = std::move(fresh.current);
  record.publishers = std::move(fresh.publishers);
  record.undeclared = std::move(fresh.undeclared);
  for (const plan::Step* step : record.steps()) {
    if (step->kind == plan::Kind::gate_approval && record.approved_by.contains(step->gate.id)) prove_again(live, *step);
  }
}

// What another process has done to the run meanwhile: an import that ended it, a cancel.
std::optional<GateResult> ended_elsewhere(const Live& live, const std::string& run) {
  const journal::RunRow row = live.tools().journal->need(run);
  if (!journal::is_final(row.state) && !live.progress().owed.is_object()) return std::nullopt;
  const fault::CodeInfo* info = fault::find_code(row.code);
  return GateResult{GateEnd::ended, Error(info == nullptr ? Code::pack_step_failed : info->code, row.reason,
                                          fmt::format("{} is {}", run, row.state), run)};
}

}  // namespace

Error rejected(const std::string& run, const gate::Tally& tally) {
  return Error(
      Code::pack_approval_rejected, "rejected",
      fmt::format("{} rejected gate {}: {}", canon::printable(tally.decided_by, 200), tally.gate,
                  canon::printable(tally.comment, 500)),
      run,
      fmt::format("Mend what was criticised; `stella pack runs resume --run {}` makes a new attempt, which asks again.",
                  run));
}

GateResult pass_gate(Live& live, const plan::Step& step) {
  begin_waiting(live, step);
  gate::Tally tally;
  for (bool told = false;; told = true) {
    live.refresh();
    if (auto ended = ended_elsewhere(live, live.id())) return *ended;
    follow_policy(live);
    if (auto decided = look(live, step, tally)) return *decided;
    if (!live.choices().wait) return {GateEnd::waiting, waits_for(live, step, tally)};
    if (!told) live.tools().listener->note(fmt::format("waiting: {}", waits_for(live, step, tally).what()));
    if (!told) live.tools().listener->note(fmt::format("  next: {}", waits_for(live, step, tally).fix()));
    for (auto left = live.choices().poll; left.count() > 0; left -= std::chrono::milliseconds(50)) {
      if (asked_to_stop(live.folder()) != Stop::none) return {GateEnd::stopped, std::nullopt};
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

void prove_passed_gates(Live& live) {
  if (live.progress().owed.is_object()) return;  // nothing behind a gate starts any more
  const Steps steps = live.record().steps();
  for (const plan::Step* step : steps) {
    if (step->kind != plan::Kind::gate_approval || !is_done(live.progress().step(step->id).state)) continue;
    const auto released = released_by(steps, step->gate.id);
    if (holds_nothing(live, *step, released)) continue;
    const bool begun = std::any_of(released.begin(), released.end(),
                                   [&](const auto& id) { return live.progress().step(id).tries_now > 0; });
    if (begun) {
      prove_again(live, *step);
    } else {
      live.record().progress.steps[step->id].state = StepState::pending;
      live.say({}, {.state = "waiting"});
    }
  }
}

}  // namespace stella::run
