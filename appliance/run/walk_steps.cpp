// SPDX-License-Identifier: Apache-2.0
// One step on its way: begun anew or taken over from what the journal says, retried, ended.
#include <fmt/format.h>

#include "appliance/run/disturbance.hpp"
#include "appliance/run/view.hpp"
#include "appliance/run/walk.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

// An expression or a value that the run gave: the step's failure, not the runner's.
bool is_of_the_step(const Error& error) {
  return error.code() == Code::pack_step_failed || error.code() == Code::pack_invalid;
}

}  // namespace

void Walk::begin(Index index) {
  try {
    if (restore(index)) return;
    if (holds_for_chaos(index)) return course_.put_back(index);
    course_.node(index).is_fresh = true;
    begin_kind(index);
  } catch (const Error& error) {
    if (is_of_the_step(error)) return fail_at_once(index, error);
    hold_back(error);
    course_.put_back(index);
  }
}

// A hook that pauses the run before this step.
bool Walk::holds_for_chaos(Index index) {
  if (live_.progress().chaos.empty()) return false;
  const auto* pause = Hooks(live_).pause_due(course_.node(index).step);
  if (pause != nullptr) hold_back(paused_by(*pause, live_.id()));
  return pause != nullptr;
}

void Walk::begin_kind(Index index) {
  const plan::Step& step = *course_.node(index).step;
  if (!holds_at(live_, step.when, step)) return skip(index);
  switch (step.kind) {
    case plan::Kind::run:
      return begin_run(index);
    case plan::Kind::gate_policy:
      return judge_policy(index);
    case plan::Kind::gate_approval:
      return;  // take_gate() goes on
    default:
      return begin_group(index, nullptr);
  }
}

// True when the step needs nothing more than the journal's word: it is done, or its group is already under way.
bool Walk::restore(Index index) {
  Node& node = course_.node(index);
  const plan::Step& step = *node.step;
  if (step.kind == plan::Kind::item) return false;
  const StepProgress before = live_.progress().step(step.id);
  if (before.state == StepState::pending || node.is_tainted || before.digest != step.digest.tagged()) return false;
  if (is_done(before.state)) {
    course_.end(index, before.state);
    return true;
  }
  if (before.state == StepState::failed) return restore_failed(index, before);
  if (!is_group(step.kind) || before.state != StepState::running) return false;
  begin_group(index, &before.decided);
  return true;
}

// The runner ended before it could say what follows from the failure.
bool Walk::restore_failed(Index index, const StepProgress& before) {
  Node& node = course_.node(index);
  const plan::Step& step = *node.step;
  if (step.kind == plan::Kind::run && wants_retry(step.retries, before)) {
    live_.add(
        event_of("pack.step.retried", {{"try", before.tries + 1}, {"delayMs", 0}, {"reason", before.reason}}, step.id));
    return false;
  }
  node.is_hard = is_hard(before.reason);
  node.is_fresh = true;
  if (step.continue_on_error && !node.is_hard) {
    live_.add(event_of("pack.step.finished",
                       {{"try", before.tries},
                        {"state", "continued"},
                        {"reason", before.reason},
                        {"message", before.message},
                        {"digest", before.digest}},
                       step.id));
    course_.end(index, StepState::continued);
  } else {
    course_.end(index, StepState::failed);
  }
  return true;
}

// A commit must come first: the record of its start, or of the end of something it waited for.
bool Walk::waits_for_commit(Index index) const {
  if (!may_be_late(*course_.node(index).step)) return true;
  for (; index != kNone; index = course_.node(index).parent) {
    if (course_.node(index).changed_in == course_.batch) return true;
  }
  return false;
}

void Walk::begin_run(Index index) {
  const plan::Step& step = *course_.node(index).step;
  if (live_.record().row.state != "running") live_.say({}, {.state = "running", .code = "", .reason = ""});
  launches_.push_back(prepare(live_, step, index));
  must_commit_ = must_commit_ || waits_for_commit(index);
}

void Walk::judge_policy(Index index) {
  const plan::Step& step = *course_.node(index).step;
  const bool open = holds_at(live_, step.expression, step);
  if (!open)
    return fail_at_once(
        index,
        Error(Code::pack_step_failed, "policy",
              step.message.empty() ? fmt::format("the policy gate's expression does not hold: {}", step.expression)
                                   : step.message));
  live_.add(event_of("pack.step.finished",
                     {{"state", "succeeded"}, {"kind", "gate.policy"}, {"digest", step.digest.tagged()}}, step.id));
  course_.end(index, StepState::succeeded);
}

void Walk::skip(Index index) {
  const plan::Step& step = *course_.node(index).step;
  if (step.kind != plan::Kind::item)
    live_.add(event_of("pack.step.skipped", {{"when", step.when}, {"digest", step.digest.tagged()}}, step.id));
  course_.end(index, StepState::skipped);
}

void Walk::fail_at_once(Index index, const Error& error) {
  const plan::Step& step = *course_.node(index).step;
  const StepState state = step.continue_on_error ? StepState::continued : StepState::failed;
  Json data = {{"state", name_of(state)},
               {"reason", error.reason()},
               {"message", error.what()},
               {"digest", step.digest.tagged()}};
  if (step.kind != plan::Kind::run) data["kind"] = pack::name_of(step.kind);
  if (step.kind != plan::Kind::item) live_.add(event_of("pack.step.finished", std::move(data), step.id));
  course_.end(index, state);
}

void Walk::hold_back(const Error& error) {
  auto& kept = is_pause(error) ? pausing_ : fatal_;
  if (!kept) kept = error;
}

void Walk::ended(Index index) {
  const auto tryout = lanes_.take(index);
  files::crash_point("step.ended");
  conclude(live_, *tryout);
  has_ended_ = true;
  if (tryout->error) return hold_back(*tryout->error);
  const plan::Step& step = *tryout->step;
  const StepProgress& progress = live_.progress().step(step.id);
  if (progress.state == StepState::unknown) {
    if (stop_ == Stop::none) stop_ = asked_to_stop(live_.folder());
    if (stop_ == Stop::none) stop_ = Stop::interrupted;
    return;
  }
  if (progress.state != StepState::succeeded && wants_retry(step.retries, progress) && !course_.is_shut(index)) {
    if (!is_held_back()) retry_later(index);
    return;  // held back: whoever resumes the run retries
  }
  course_.node(index).is_hard = is_hard(progress.reason);
  course_.end(index, progress.state);
}

void Walk::retry_later(Index index) {
  const plan::Step& step = *course_.node(index).step;
  const StepProgress& progress = live_.progress().step(step.id);
  const auto delay = delay_before(step.retries, progress.tries_now + 1);
  live_.add(event_of("pack.step.retried",
                     {{"try", progress.tries + 1}, {"delayMs", delay.count()}, {"reason", progress.reason}}, step.id));
  timers_.emplace(std::chrono::steady_clock::now() + delay, Timer{Timer::Kind::retry, index});
}

}  // namespace stella::run
