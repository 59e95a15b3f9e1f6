// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "appliance/run/finish.hpp"
#include "appliance/run/replan.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/submit.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

// Finished steps that need not run again: the same node of the plan, and nothing they need runs again. Gates do not
// count there: whether one asks anew is decided by what it releases.
std::set<std::string> reusable(const Progress& progress, const plan::Plan& plan) {
  std::set<std::string> kept;
  for (const plan::Step& step : plan.steps) {
    const StepProgress& before = progress.step(step.id);
    if (step.kind == plan::Kind::gate_approval) {
      if (is_done(before.state)) kept.insert(step.id);
      continue;
    }
    const bool needs_kept =
        std::all_of(step.needs.begin(), step.needs.end(), [&](const auto& need) { return kept.contains(need); });
    if (is_done(before.state) && before.digest == step.digest.tagged() && needs_kept) kept.insert(step.id);
  }
  for (const plan::Step& step : plan.steps) {
    if (step.kind != plan::Kind::gate_approval) continue;
    const auto released = released_by(plan, step.gate.id);
    const bool all_kept = std::all_of(released.begin(), released.end(), [&](const auto& id) {
      const auto* found =
          &*std::find_if(plan.steps.begin(), plan.steps.end(), [&](const auto& one) { return one.id == id; });
      return found->kind == plan::Kind::gate_approval || kept.contains(id);
    });
    if (!all_kept) kept.erase(step.id);
  }
  return kept;
}

const plan::Step& need_unknown(const Record& record, const std::string& wanted) {
  std::vector<std::string> unknown;
  for (const plan::Step& step : record.plan->steps) {
    const StepState state = record.progress.step(step.id).state;
    if (state != StepState::unknown && state != StepState::running) continue;
    if (step.id == wanted) return step;
    unknown.push_back(step.id);
  }
  throw Error(
      Code::usage, "step",
      fmt::format("step `{}` was not in flight when the runner ended", canon::printable(wanted, 80)), record.row.id,
      unknown.empty() ? "Leave the option out: no step needs a decision." : fmt::format("Name {}.", unknown.front()));
}

plan::OnCrash fate(const plan::Step& step, const ResumeWish& wish) {
  if (step.id == wish.rerun) return plan::OnCrash::rerun;
  if (step.id == wish.fail) return plan::OnCrash::fail;
  return step.on_crash;
}

Error must_decide(const std::string& run, const std::string& step) {
  return Error(Code::pack_interrupted, "unknown",
               fmt::format("nobody knows how far step {} came when its runner ended", step), run,
               fmt::format("stella pack runs resume --run {} --rerun {}   (or --fail {})", run, step, step));
}

// A step that the journal shows as started and not finished: its runner is gone, since we hold the lock.
void note_unknown(Live& live) {
  for (const plan::Step& step : live.plan().steps) {
    const StepProgress progress = live.progress().step(step.id);
    if (progress.state != StepState::running) continue;
    // Nobody looked for secrets in what it left there.
    files::remove_tree(fmt::format("{}/outputs/{}.{}", live.folder(), step.id, progress.tries));
    live.say({event_of(
        "pack.step.finished",
        {{"try", progress.tries}, {"state", "unknown"}, {"reason", "runner-died"}, {"digest", progress.digest}},
        step.id)});
  }
}

// Gives every step of unknown state its fate. Returns the step that was failed, empty: none.
void decide_unknown(Live& live, const ResumeWish& wish) {
  for (const plan::Step& step : live.plan().steps) {
    const StepProgress progress = live.progress().step(step.id);
    if (progress.state != StepState::unknown) continue;
    switch (fate(step, wish)) {
      case plan::OnCrash::rerun:
        live.say({event_of("pack.step.retried",
                           {{"try", progress.tries + 1}, {"reason", "unknown"}, {"decision", "rerun"}}, step.id)});
        break;
      case plan::OnCrash::fail:
        live.say({event_of("pack.step.finished",
                           {{"try", progress.tries},
                            {"state", step.continue_on_error ? "continued" : "failed"},
                            {"reason", "crash"},
                            {"message", "it was in flight when its runner ended, and was given up"},
                            {"digest", progress.digest}},
                           step.id)});
        break;
      case plan::OnCrash::ask: {
        const Error error = must_decide(live.id(), step.id);
        if (live.record().row.state != "paused" || live.record().row.reason != "unknown") pause(live, error, step.id);
        throw error;
      }
    }
  }
}

void require_asked_plan(const Record& record, const plan::Plan& plan) {
  const std::string& asked = record.progress.asked_hash;
  if (asked.empty() || asked == plan.hash_text()) return;
  throw Error(Code::pack_hash_mismatch, "asked",
              fmt::format("under the present policy the plan is {}, {} was asked for", plan.hash_text(), asked),
              record.row.id,
              "Submit the pack anew with the plan that holds now: `stella pack plan`, then `stella pack run`.");
}

void begin_attempt(Live& live, const std::string& from) {
  Record& record = live.record();
  std::vector<journal::NewEvent> events;
  journal::RunChange change{.state = "running",
                            .code = "",
                            .reason = "",
                            .requested_by = live.choices().who,
                            .attempt = record.row.attempt + 1};
  std::unique_ptr<plan::Plan> fresh;
  if (!record.drift.empty()) {
    const auto admitted = admit_own(*live.tools().home, record.row, &record.current->policy);
    fresh = std::make_unique<plan::Plan>(plan_own(record.row, admitted, &record.current->policy));
    require_asked_plan(record, *fresh);
    stage_plan(record.row, *fresh, *record.current);
    change.plan_hash = fresh->hash_text();
  }
  const std::set<std::string> kept = reusable(record.progress, fresh ? *fresh : *record.plan);
  Json data = {{"by", live.choices().who}, {"from", from}, {"reused", kept}};
  if (!record.drift.empty()) data["changed"] = record.drift;
  events.push_back(event_of("pack.run.resumed", std::move(data)));
  events.push_back(planned_event(change.plan_hash.value_or(record.row.plan_hash), record.current->policy));
  live.say(std::move(events), change);
  files::crash_point("run.resumed");
  if (!fresh) return;
  settle_plan(record.row);
  record.plan = std::move(fresh);
  live.tools().listener->note(
      fmt::format("the site policy changed ({}): planned anew as {}", record.drift, record.row.plan_hash));
  record.drift.clear();
}

void go_on_with_attempt(Live& live, const ResumeWish& wish) {
  Record& record = live.record();
  if (!record.progress.planned) live.say({planned_event(record.row.plan_hash, record.current->policy)});
  note_unknown(live);
  decide_unknown(live, wish);
  const std::string from = record.row.state;
  live.say(
      {event_of("pack.run.resumed", {{"by", live.choices().who}, {"from", from}, {"reused", record.progress.done()}})},
      {.requested_by = live.choices().who});
}

void extend_waiting(Live& live, const ResumeWish& wish) {
  if (!wish.extend || live.record().row.state != "waiting") return;
  for (const auto& [id, gate] : live.progress().gates) {
    if (gate.waiting_seq == 0 || is_done(live.progress().step(gate.step).state)) continue;
    extend_gate(*live.tools().journal, live.record(), id, *wish.extend, live.choices().who, live.now());
    live.refresh();
    return;
  }
}

}  // namespace

Prospect foresee(const Record& record, const ResumeWish& wish) {
  Prospect prospect;
  prospect.new_plan = !record.drift.empty();
  prospect.new_attempt = is_final(record.row.state) || prospect.new_plan;
  const std::set<std::string> kept = reusable(record.progress, *record.plan);
  for (const plan::Step& step : record.plan->steps) {
    const StepProgress& progress = record.progress.step(step.id);
    const bool unknown = progress.state == StepState::unknown || progress.state == StepState::running;
    if (unknown) {
      const plan::OnCrash what = fate(step, wish);
      prospect.steps.push_back({step.id,
                                what == plan::OnCrash::ask    ? "ask"
                                : what == plan::OnCrash::fail ? "fail"
                                                              : "again",
                                "it was in flight when the runner ended"});
    } else if (prospect.new_attempt ? kept.contains(step.id) : is_done(progress.state)) {
      prospect.steps.push_back({step.id, "reused", "it is " + name_of(progress.state)});
    } else if (progress.state == StepState::pending) {
      prospect.steps.push_back({step.id, "next", "it has not run yet"});
    } else {
      prospect.steps.push_back({step.id, "again",
                                is_done(progress.state)
                                    ? "something it needs or releases runs again, or its plan changed"
                                    : "it is " + name_of(progress.state)});
    }
  }
  return prospect;
}

void prepare_to_resume(Live& live, const ResumeWish& wish) {
  const Record& record = live.record();
  site::require_valid(record.current->policy, live.now());
  for (const std::string* id : {&wish.rerun, &wish.fail}) {
    if (!id->empty()) need_unknown(record, *id);
  }
  forget_cancel(live.folder());
  const std::string from = record.row.state;
  if (is_final(from)) return begin_attempt(live, from);
  if (record.drift.empty()) {
    go_on_with_attempt(live, wish);
    return extend_waiting(live, wish);
  }
  note_unknown(live);
  decide_unknown(live, wish);
  begin_attempt(live, from);
}

}  // namespace stella::run
