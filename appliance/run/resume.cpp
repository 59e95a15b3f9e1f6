// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/resume.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "appliance/journal/states.hpp"
#include "appliance/journal/via.hpp"
#include "appliance/run/course.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/left.hpp"
#include "appliance/run/replan.hpp"
#include "appliance/run/reuse.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/submit.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

bool is_in_flight(const StepProgress& step) {
  return step.kind.empty() && (step.state == StepState::unknown || step.state == StepState::running);
}

// Its runner died while it ran, as opposed to a step that was told to stop because somebody ended the run.
bool is_crashed(const StepProgress& step) {
  return is_in_flight(step) && !(step.state == StepState::unknown && step.reason == "stopped");
}

void require_in_flight(const Record& record, const std::string& wanted) {
  std::vector<std::string> unknown;
  for (const auto& [id, step] : record.progress.steps) {
    if (!is_in_flight(step)) continue;
    if (id == wanted) return;
    unknown.push_back(id);
  }
  const auto guess = canon::nearest(wanted, unknown);
  throw Error(Code::usage, "step",
              fmt::format("step `{}` was not in flight when the runner ended{}", canon::printable(wanted, 80),
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              record.row.id,
              unknown.empty() ? "Leave the option out: no step needs a decision."
                              : fmt::format("Name {}.", fmt::join(unknown, ", ")));
}

plan::OnCrash fate(const Record& record, const std::string& id, const ResumeWish& wish) {
  if (std::find(wish.rerun.begin(), wish.rerun.end(), id) != wish.rerun.end()) return plan::OnCrash::rerun;
  if (std::find(wish.fail.begin(), wish.fail.end(), id) != wish.fail.end()) return plan::OnCrash::fail;
  const plan::Step* step = find_step(record.steps(), id);
  return step == nullptr ? plan::OnCrash::ask : step->on_crash;
}

Error must_decide(const std::string& run, const std::vector<std::string>& steps) {
  std::string options;
  for (const std::string& step : steps) options += " --rerun " + shell_word(step);
  return Error(
      Code::pack_interrupted, "unknown",
      fmt::format("nobody knows how far step {} came when its runner ended", fmt::join(steps, ", ")), run,
      fmt::format("stella pack runs resume --run {}{}   (or --fail {})", run, options, shell_word(steps.front())));
}

journal::NewEvent rerun_event(const std::string& step, int tries) {
  return event_of("pack.step.retried", {{"try", tries + 1}, {"reason", "unknown"}, {"decision", "rerun"}}, step);
}

journal::NewEvent given_up_event(const std::string& step, int tries, const std::string& digest) {
  return event_of("pack.step.finished",
                  {{"try", tries},
                   {"state", "failed"},
                   {"reason", "crash"},
                   {"message", "it was in flight when its runner ended, and was given up"},
                   {"digest", digest}},
                  step);
}

// Steps that the journal shows as started and not finished: their runner is gone, since we hold the lock.
void note_unknown(Live& live) {
  for (const auto& [id, progress] : std::map(live.progress().steps)) {
    if (!progress.kind.empty() || progress.state != StepState::running) continue;
    // Nobody looked for secrets in what it left there.
    files::remove_tree(fmt::format("{}/outputs/{}.{}", live.folder(), id, progress.tries));
    live.add(event_of(
        "pack.step.finished",
        {{"try", progress.tries}, {"state", "unknown"}, {"reason", "runner-died"}, {"digest", progress.digest}}, id));
  }
  live.commit();
}

// An end is never taken back: a step that was in flight when a runner died, in a run that somebody ended since, is
// asked about without a word in the journal, and its fate is told in the new attempt.
std::vector<std::string> crashed_before(const Record& record, const ResumeWish& wish) {
  std::vector<std::string> crashed, undecided;
  for (const auto& [id, progress] : record.progress.steps) {
    if (!is_crashed(progress)) continue;
    crashed.push_back(id);
    if (fate(record, id, wish) == plan::OnCrash::ask) undecided.push_back(id);
  }
  if (!undecided.empty()) throw must_decide(record.row.id, undecided);
  return crashed;
}

void tell_fates(Live& live, const std::vector<std::string>& crashed, const ResumeWish& wish) {
  for (const std::string& id : crashed) {
    const plan::Step* step = find_step(live.record().steps(), id);
    if (step == nullptr) continue;
    const int tries = live.progress().step(id).tries;
    if (fate(live.record(), id, wish) == plan::OnCrash::rerun)
      live.add(rerun_event(id, tries));
    else
      live.add(given_up_event(id, tries, step->digest.tagged()));
  }
  live.commit();
}

// Gives every step of unknown state its fate, all of them or none.
void decide_unknown(Live& live, const ResumeWish& wish) {
  std::vector<std::string> undecided;
  for (const auto& [id, progress] : live.progress().steps) {
    if (is_in_flight(progress) && fate(live.record(), id, wish) == plan::OnCrash::ask) undecided.push_back(id);
  }
  if (!undecided.empty()) {
    const Error error = must_decide(live.id(), undecided);
    if (live.record().row.state != "paused" || live.record().row.reason != "unknown")
      pause(live, error, undecided.front());
    throw error;
  }
  for (const auto& [id, progress] : std::map(live.progress().steps)) {
    if (!is_in_flight(progress)) continue;
    if (fate(live.record(), id, wish) == plan::OnCrash::rerun)
      live.add(rerun_event(id, progress.tries));
    else
      live.add(given_up_event(id, progress.tries, progress.digest));
  }
  live.commit();
}

void require_asked_plan(const Record& record, const plan::Plan& plan) {
  const std::string& asked = record.progress.asked_hash;
  if (asked.empty() || asked == plan.hash_text()) return;
  throw Error(Code::pack_hash_mismatch, "asked",
              fmt::format("under the present policy the plan is {}, {} was asked for", plan.hash_text(), asked),
              record.row.id,
              "Submit the pack anew with the plan that holds now: `stella pack plan`, then `stella pack run`.");
}

// The turns and steps under the plan that a new attempt follows.
struct Ahead {
  explicit Ahead(const Record& record)
      : plan(record.fresh ? *record.fresh : *record.plan),
        made(known_turns(plan, record.progress)),
        steps(steps_of(plan, made)) {}
  const plan::Plan& plan;
  Made made;
  Steps steps;
};

// Another attempt: the run has ended, the policy gives another plan, or artifacts that nobody has approved are not what
// they were. What a gate has seen is the gate's to judge, and what an ending run left is not looked at any more.
bool needs_attempt(const Record& record, const std::map<std::string, std::string>& altered) {
  if (journal::is_final(record.row.state) || !record.drift.empty()) return true;
  return !altered.empty() && record.progress.gates.empty() && !record.progress.owed.is_object();
}

void begin_attempt(Live& live, const std::string& from, const std::map<std::string, std::string>& altered) {
  Record& record = live.record();
  std::vector<journal::NewEvent> events;
  journal::RunChange change{.state = "running",
                            .code = "",
                            .reason = "",
                            .requested_by = live.choices().who,
                            .attempt = record.row.attempt + 1};
  const Ahead ahead(record);
  if (record.fresh) {
    require_asked_plan(record, *record.fresh);
    stage_plan(record.row, *record.fresh, *record.current);
    change.plan_hash = record.fresh->hash_text();
  }
  const std::set<std::string> kept = reusable(record.progress, ahead.steps, altered);
  Json data = {{"by", live.choices().who}, {"from", from}, {"reused", kept}};
  journal::put_via(data, live.choices().via);
  if (!record.drift.empty()) data["changed"] = record.drift;
  if (!altered.empty()) data["altered"] = altered;
  events.push_back(event_of("pack.run.resumed", std::move(data)));
  events.push_back(planned_event(ahead.plan, record.current->policy));
  live.say(std::move(events), change);
  files::crash_point("run.resumed");
  if (record.fresh) {
    settle_plan(record.row);
    record.plan = std::move(record.fresh);
    live.tools().listener->note(
        fmt::format("the site policy changed ({}): planned anew as {}", record.drift, record.row.plan_hash));
    record.drift.clear();
  }
  record.made = known_turns(*record.plan, record.progress);  // of the steps that are reused
}

void go_on_with_attempt(Live& live, const ResumeWish& wish) {
  Record& record = live.record();
  if (!record.progress.planned) live.say({planned_event(*record.plan, record.current->policy)});
  note_unknown(live);
  decide_unknown(live, wish);
  const std::string from = record.row.state;
  Json data = {{"by", live.choices().who}, {"from", from}, {"reused", record.progress.done()}};
  journal::put_via(data, live.choices().via);
  live.say({event_of("pack.run.resumed", std::move(data))}, {.requested_by = live.choices().who});
}

void extend_waiting(Live& live, const ResumeWish& wish) {
  if (!wish.extend || live.record().row.state != "waiting") return;
  for (const auto& [id, gate] : live.progress().gates) {
    if (gate.waiting_seq == 0 || is_done(live.progress().step(gate.step).state)) continue;
    extend_gate(*live.tools().journal, live.record(), id, *wish.extend,
                {.who = live.choices().who, .via = live.choices().via}, live.now());
    live.refresh();
    return;
  }
}

std::string word_of(plan::OnCrash fate) {
  return fate == plan::OnCrash::ask ? "ask" : fate == plan::OnCrash::fail ? "fail" : "rerun";
}

std::string why_again(const plan::Step& step, const StepProgress& before) {
  if (!is_done(before.state)) return "it is " + name_of(before.state);
  if (before.digest != step.digest.tagged()) return "its part of the plan changed";
  return "something it needs or releases runs again";
}

}  // namespace

Prospect foresee(const Record& record, const ResumeWish& wish) {
  Prospect prospect;
  const auto altered = altered_artifacts(record);
  prospect.new_plan = !record.drift.empty();
  prospect.new_attempt = needs_attempt(record, altered);
  const Ahead ahead(record);
  const std::set<std::string> kept = reusable(record.progress, ahead.steps, altered);
  for (const plan::Step* step : ahead.steps) {
    if (step->kind == plan::Kind::item) continue;
    const StepProgress& progress = record.progress.step(step->id);
    if (is_in_flight(progress) && journal::is_final(record.row.state) && !is_crashed(progress)) {
      prospect.steps.push_back({step->id, "rerun", "it was stopped when the run was ended"});
    } else if (is_in_flight(progress)) {
      const plan::OnCrash what = fate(record, step->id, wish);
      prospect.steps.push_back({step->id, word_of(what), "it was in flight when the runner ended"});
      if (what == plan::OnCrash::ask) prospect.in_flight.push_back(left_by(record, step->id, progress));
    } else if (prospect.new_attempt ? kept.contains(step->id) : is_done(progress.state)) {
      prospect.steps.push_back({step->id, "reused", "it is " + name_of(progress.state)});
    } else if (progress.state == StepState::pending) {
      prospect.steps.push_back({step->id, "next", "it has not run yet"});
    } else if (progress.state == StepState::running) {
      prospect.steps.push_back({step->id, "next", "some of its members are still to come"});
    } else {
      const auto problem = altered.find(step->id);
      prospect.steps.push_back(
          {step->id, "rerun", problem == altered.end() ? why_again(*step, progress) : problem->second});
    }
  }
  return prospect;
}

void prepare_to_resume(Live& live, const ResumeWish& wish) {
  const Record& record = live.record();
  site::require_valid(record.current->policy, live.now());
  for (const auto* ids : {&wish.rerun, &wish.fail}) {
    for (const std::string& id : *ids) require_in_flight(record, id);
  }
  const auto altered = altered_artifacts(record);
  forget_cancel(live.folder());
  const std::string from = record.row.state;
  if (journal::is_final(from)) {
    const auto crashed = crashed_before(record, wish);
    begin_attempt(live, from, altered);
    return tell_fates(live, crashed, wish);
  }
  if (!needs_attempt(record, altered)) {
    go_on_with_attempt(live, wish);
    return extend_waiting(live, wish);
  }
  note_unknown(live);
  decide_unknown(live, wish);
  begin_attempt(live, from, altered);
}

}  // namespace stella::run
