// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/walk.hpp"

#include <algorithm>

#include "appliance/run/disturbance.hpp"
#include "appliance/run/finish.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMostEvents = 256;   // of one commit
constexpr milliseconds kLongestBatch{20};  // for what need not be durable at once
constexpr milliseconds kLookForStop{50};

}  // namespace

Walk::Walk(Live& live) : live_(live), course_(live.record().steps()), lanes_(live.tools()) {}

bool Walk::has_free_lane() const {
  const auto most = static_cast<std::size_t>(std::max(1, live_.plan().max_parallel));
  return lanes_.running() + launches_.size() < most;
}

Outcome Walk::run() {
  if (live_.progress().owed.is_object())
    begin_ending();
  else
    course_.open(kMain);
  for (;;) {
    advance();
    flush();
    if (auto outcome = look_around()) return *outcome;
    if (lanes_.running() > 0 || !timers_.empty()) listen();
  }
}

void Walk::look_for_stop() {
  const Instant now = steady_clock::now();
  if (stop_ != Stop::none || now - looked_ < kLookForStop) return;
  looked_ = now;
  stop_ = asked_to_stop(live_.folder());
  if (stop_ != Stop::none) lanes_.halt_all(Halt::run);
}

// What other processes have put into the journal. In every turn: a hook that was recorded before a step starts counts
// for it.
void Walk::look_for_chaos() {
  try {
    live_.hear_others();
  } catch (const Error& error) {
    return hold_back(error);
  }
  if (live_.progress().chaos.empty()) return;
  const Hooks hooks(live_);
  if (const auto* pause = hooks.pause_due(nullptr)) hold_back(paused_by(*pause, live_.id()));
  lanes_.each([&](Tryout& tryout) { tryout.is_cut = hooks.is_network_cut(*tryout.step); });
}

void Walk::advance() {
  look_for_stop();
  look_for_chaos();
  for (bool moved = true; moved;) {
    moved = false;
    while (const auto group = course_.next_settled()) {
      moved = true;
      if (*group == phase_)
        is_over_ = true;
      else if (*group > kEnding)
        settle(*group);
    }
    for (const Index group : course_.take_to_stop()) halt_below(group);
    if (!timers_.empty()) end_shut_retries();
    if (is_held_back()) continue;
    if (const auto next = course_.next(has_free_lane() ? Course::Lane::free : Course::Lane::taken)) {
      begin(*next);
      moved = true;
    }
  }
  if (live_.uncommitted() > 0 && !oldest_) oldest_ = steady_clock::now();
}

void Walk::flush() {
  const bool idle = lanes_.running() == 0 && launches_.empty();
  const bool old = oldest_ && steady_clock::now() - *oldest_ >= kLongestBatch;
  if (live_.uncommitted() > 0 && (must_commit_ || idle || old || live_.uncommitted() >= kMostEvents)) commit();
  for (auto& tryout : launches_) {
    files::crash_point("step.started");
    if (stop_ != Stop::none) tryout->halt = Halt::run;
    tryout->is_cut = Hooks(live_).is_network_cut(*tryout->step);
    lanes_.start(std::move(tryout));
  }
  launches_.clear();
}

void Walk::commit() {
  files::crash_point("walk.before-commit");
  try {
    live_.commit();
  } catch (const Error& error) {
    if (!is_pause(error)) throw;
    hold_back(error);
    for (const auto& tryout : launches_) {
      take_back(live_, *tryout, Error(error.code(), "not-started", error.what()));
      course_.put_back(tryout->node);
    }
    launches_.clear();
    return;
  }
  if (has_part_) files::crash_point("step.output");
  if (has_ended_) files::crash_point("step.finished");
  files::crash_point("walk.committed");
  has_ended_ = has_part_ = false;
  ++course_.batch;
  must_commit_ = false;
  oldest_.reset();
}

void Walk::listen() {
  Instant until = steady_clock::now() + kLookForStop;
  if (oldest_) until = std::min(until, *oldest_ + kLongestBatch);
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  for (Message& message : lanes_.wait(until)) hear(message);
  fire_timers();
}

void Walk::hear(Message& message) {
  const plan::Step& step = *course_.node(message.node).step;
  switch (message.kind) {
    case Message::Kind::line:
      return live_.tools().listener->line(step.id, message.text);
    case Message::Kind::note:
      return live_.tools().listener->note(message.text);
    case Message::Kind::part:
      has_part_ = true;
      return live_.add(event_of("pack.step.output", std::move(message.data), step.id));
    case Message::Kind::ended:
      return ended(message.node);
  }
}

void Walk::fire_timers() {
  while (!timers_.empty() && timers_.begin()->first <= steady_clock::now() && !is_held_back()) {
    const Timer timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (course_.node(timer.node).phase != Node::Phase::begun) continue;
    switch (timer.kind) {
      case Timer::Kind::retry:
        course_.put_back(timer.node);
        break;
      case Timer::Kind::turn:
        (void)course_.admit_next(timer.node);
        break;
      case Timer::Kind::deadline:
        timed_out_.insert(timer.node);
        halt_below(timer.node);
        course_.shut(timer.node);
        break;
    }
  }
}

// What there is to do when no step runs. Nothing: go on.
std::optional<Outcome> Walk::look_around() {
  if (lanes_.running() > 0 || !launches_.empty()) return std::nullopt;
  if (fatal_) {
    live_.commit();
    throw Error(*fatal_);
  }
  if (stop_ == Stop::none && pausing_) stop_ = asked_to_stop(live_.folder());  // nobody looks again after a pause
  if (stop_ != Stop::none) return stopped();
  if (pausing_) return pause(live_, *pausing_, pausing_->at());
  if (is_over_) return end_phase();
  const bool waits = std::any_of(timers_.begin(), timers_.end(),
                                 [](const auto& timer) { return timer.second.kind != Timer::Kind::deadline; });
  if (waits) return std::nullopt;
  if (const auto gate = course_.next_gate()) return take_gate(*gate);
  is_over_ = true;  // nothing can start any more
  return std::nullopt;
}

std::optional<Outcome> Walk::end_phase() {
  const Index cause = course_.node(phase_).cause;
  if (cause != kNone && !main_error_) {
    main_step_ = course_.node(cause).step->id;
    main_error_ = step_error(live_, *course_.node(cause).step);
  }
  if (phase_ == kMain && course_.has_ending()) {
    begin_ending();
    return std::nullopt;
  }
  if (live_.progress().owed.is_object()) return finish_owed();
  if (main_error_) return finish_failed(live_, *main_error_, main_step_);
  return finish_done(live_);
}

}  // namespace stella::run
