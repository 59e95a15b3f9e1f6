// SPDX-License-Identifier: Apache-2.0
// Groups on their way: what they decide when they begin, what their members' ends make of them.
#include <fmt/format.h>

#include <algorithm>

#include "appliance/run/view.hpp"
#include "appliance/run/walk.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

}  // namespace

// `decided`: what the journal says that an earlier start of this attempt decided; null: decide now and say so.
void Walk::begin_group(Index index, const Json* decided) {
  const plan::Step& step = *course_.node(index).step;
  Json data = Json::object();
  if (step.kind == plan::Kind::map || step.kind == plan::Kind::loop) data = decide_turns(index, decided);
  if (step.kind == plan::Kind::conditional) data = decide_case(index, decided);
  if (decided == nullptr && step.kind != plan::Kind::item) {
    if (live_.record().row.state != "running") live_.say({}, {.state = "running", .code = "", .reason = ""});
    data["kind"] = pack::name_of(step.kind);
    data["digest"] = step.digest.tagged();
    live_.add(event_of("pack.step.started", data, step.id));
  }
  if (step.kind == plan::Kind::conditional) leave_other_cases(index, data.at("case").get<int>());
  if (is_group(step.kind) && step.kind != plan::Kind::item && step.timeout.count() > 0)
    timers_.emplace(std::chrono::steady_clock::now() + step.timeout, Timer{Timer::Kind::deadline, index});
  course_.open(index);
}

Json Walk::decide_turns(Index index, const Json* decided) {
  const plan::Step& step = *course_.node(index).step;
  if (!step.dynamic) return {{"turns", course_.node(index).members.size()}};
  const Json items = decided == nullptr ? items_at(live_, step) : decided->at("items");
  if (course_.node(index).members.empty()) course_.add(make_turns(live_.record(), step, items));
  if (course_.node(index).members.size() != items.size())
    throw Error(Code::pack_step_failed, "items", fmt::format("step {} goes over other items than before", step.id),
                step.id, "Run the pack anew.");
  return {{"turns", items.size()}, {"items", items}};
}

Json Walk::decide_case(Index index, const Json* decided) {
  const plan::Step& step = *course_.node(index).step;
  if (decided != nullptr && decided->contains("case")) return *decided;
  std::size_t taken = 0;
  while (taken < step.cases.size() && !holds_at(live_, step.cases[taken], step)) ++taken;
  return {{"case", taken}};
}

void Walk::leave_other_cases(Index index, int taken) {
  for (std::size_t i = 0; i < course_.node(index).members.size(); ++i) {
    const Index member = course_.node(index).members[i];
    const plan::Step& step = *course_.node(member).step;
    if (step.branch == taken) continue;
    if (live_.progress().step(step.id).state != StepState::skipped)
      live_.add(event_of("pack.step.skipped", {{"case", taken}, {"digest", step.digest.tagged()}}, step.id));
    course_.skip(member);
  }
}

void Walk::settle(Index index) {
  const Node& node = course_.node(index);
  if (timed_out_.contains(index))
    return finish_group(index, StepState::failed, "timeout",
                        fmt::format("it took longer than {}", clock::format_duration(node.step->timeout)));
  if (node.is_shut) return fail_group(index);
  if (node.step->kind == plan::Kind::loop) return settle_loop(index);
  finish_group(index, StepState::succeeded, {}, {});
}

// After a turn: is the loop at its end, or is there another turn?
void Walk::settle_loop(Index index) {
  const Node& node = course_.node(index);
  const plan::Step& step = *node.step;
  const bool waits = std::any_of(timers_.begin(), timers_.end(), [&](const auto& timer) {
    return timer.second.kind == Timer::Kind::turn && timer.second.node == index;
  });
  if (waits || is_held_back()) return;
  if (node.done > 0 && !step.until.empty()) {
    const Index turn = node.members[node.done - 1];
    try {
      if (holds_at(live_, step.until, *course_.node(turn).step))
        return finish_group(index, StepState::succeeded, {}, {});
    } catch (const Error& error) {
      return finish_group(index, StepState::failed, "expression", error.what());
    }
  }
  const bool is_last = node.done >= node.members.size();
  if (is_last && (step.until.empty() || node.members.empty())) return finish_group(index, StepState::succeeded, {}, {});
  if (is_last)
    return finish_group(index, StepState::failed, "until",
                        fmt::format("`{}` did not hold after {} turns", step.until, node.members.size()));
  const bool is_fresh = node.done > 0 && course_.node(node.members[node.done - 1]).is_fresh;
  if (is_fresh && step.delay.count() > 0)
    timers_.emplace(std::chrono::steady_clock::now() + step.delay, Timer{Timer::Kind::turn, index});
  else
    (void)course_.admit_next(index);
}

void Walk::fail_group(Index index) {
  const Node& node = course_.node(index);
  if (node.cause == kNone) return finish_group(index, StepState::failed, "halted", "the group it stands in ended");
  const plan::Step& first = *course_.node(node.cause).step;
  const StepProgress& why = live_.progress().step(first.id);
  finish_group(index, StepState::failed, why.reason.empty() ? "members" : why.reason,
               fmt::format("step {} failed: {}", first.id, why.message));
}

void Walk::finish_group(Index index, StepState state, const std::string& reason, const std::string& message) {
  Node& node = course_.node(index);
  const plan::Step& step = *node.step;
  const bool may_continue = step.continue_on_error && !node.is_hard && reason != "halted";
  if (state == StepState::failed && may_continue) state = StepState::continued;
  node.is_fresh = true;
  if (step.kind != plan::Kind::item) {
    Json data = {{"state", name_of(state)}, {"kind", pack::name_of(step.kind)}, {"digest", step.digest.tagged()}};
    if (!reason.empty()) {
      data["reason"] = reason;
      data["message"] = message;
    }
    live_.add(event_of("pack.step.finished", std::move(data), step.id));
  }
  course_.end(index, state);
}

void Walk::halt_below(Index group) {
  for (const Index index : course_.begun_below(group)) {
    lanes_.halt(index, Halt::group);
    for (const auto& tryout : launches_) {
      if (tryout->node == index) tryout->halt = Halt::group;
    }
  }
}

// Nobody waits for a retry in a group that has failed.
void Walk::end_shut_retries() {
  for (auto timer = timers_.begin(); timer != timers_.end();) {
    const Index index = timer->second.node;
    if (timer->second.kind != Timer::Kind::retry || !course_.is_shut(index)) {
      ++timer;
      continue;
    }
    timer = timers_.erase(timer);
    const plan::Step& step = *course_.node(index).step;
    live_.add(event_of("pack.step.finished",
                       {{"try", live_.progress().step(step.id).tries},
                        {"state", "failed"},
                        {"reason", "halted"},
                        {"message", "the group it stands in ended before its next try"},
                        {"digest", step.digest.tagged()}},
                       step.id));
    course_.end(index, StepState::failed);
  }
}

}  // namespace stella::run
