// SPDX-License-Identifier: Apache-2.0
// How a run ends: told to stop, at a gate, with `finally` still to come, and in which words.
#include <fmt/format.h>

#include "appliance/network/decision.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/gates.hpp"
#include "appliance/run/walk.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

Error blocked_error(Live& live, const plan::Step& step) {
  std::string what,
      fix = "Change the pack so that it does not call out, or have a site admin weigh adding under network.allow:";
  std::size_t count = 0;
  for (const Blocked& one : live.progress().blocked) {
    if (one.step != step.id) continue;
    const std::string where = one.host.empty() ? one.address : one.host;
    what += fmt::format("{}{} tried {} {}{} port {}", count++ == 0 ? "" : "; ", canon::printable(one.program, 64),
                        one.protocol, canon::printable(where, 256),
                        one.host.empty() || one.address.empty() ? "" : " (" + one.address + ")", one.port);
    fix += fmt::format("\n    {}", network::policy_line(one.host, one.address, one.port));
  }
  fix += fmt::format("\n  then `stella pack runs resume --run {}`.", live.id());
  return Error(Code::pack_network_blocked, "blocked",
               fmt::format("step {}: {}", step.id, count == 0 ? "blocked attempts" : what), step.id, fix);
}

}  // namespace

bool is_pause(const Error& error) {
  switch (error.code()) {
    case Code::pack_secret_missing:
    case Code::vault_sealed:
    case Code::vault_share:
    case Code::vault_not_found:
    case Code::vault_denied:
    case Code::vault_busy:
    case Code::key_unusable:
    case Code::sandbox_unavailable:
    case Code::artifact_store:
    case Code::no_space:
    case Code::media_gone:
    case Code::pack_chaos_paused:
      return true;
    default:
      return false;
  }
}

Error step_error(Live& live, const plan::Step& step) {
  const StepProgress& progress = live.progress().step(step.id);
  if (progress.reason == "network" && step.kind == plan::Kind::run) return blocked_error(live, step);
  const std::string what = progress.message.empty() ? fmt::format("step {} failed ({})", step.id, progress.reason)
                                                    : fmt::format("step {}: {}", step.id, progress.message);
  return Error(
      progress.reason == "timeout" ? Code::pack_step_timeout : Code::pack_step_failed, progress.reason, what, step.id,
      fmt::format("Read `stella pack runs logs {} --step {}`, mend the cause, then `stella pack runs resume --run {}`.",
                  live.id(), shell_word(step.id), live.id()));
}

Error interrupted_error(Live& live, const std::vector<std::string>& in_flight) {
  std::string fix = fmt::format("stella pack runs resume --run {}", live.id()), give_up;
  for (const std::string& step : in_flight) {
    const plan::Step* found = find_step(live.record().steps(), step);
    if (found == nullptr || found->on_crash == plan::OnCrash::ask) give_up += " --rerun " + shell_word(step);
  }
  if (!give_up.empty()) fix += fmt::format("{}   (or --fail STEP)", give_up);
  std::string what = "stopped by a signal";
  if (!in_flight.empty()) what += fmt::format(" in step {}", in_flight.front());
  if (in_flight.size() > 1) what += fmt::format(" and {} more", in_flight.size() - 1);
  return Error(Code::pack_interrupted, "interrupted", what, live.id(), fix);
}

std::optional<Outcome> Walk::stopped() {
  live_.commit();
  std::vector<std::string> in_flight;
  for (const auto& [id, step] : live_.progress().steps) {
    if (step.state == StepState::unknown && step.kind.empty()) in_flight.push_back(id);
  }
  if (stop_ == Stop::interrupted)
    return pause(live_, interrupted_error(live_, in_flight), in_flight.empty() ? "" : in_flight.front());
  if (phase_ == kEnding) {  // its end is decided already
    forget_cancel(live_.folder());
    stop_ = Stop::none;
    is_over_ = true;
    return std::nullopt;
  }
  if (!course_.has_ending()) return finish_cancelled(live_);
  owe_cancelled(live_);
  begin_ending();
  return std::nullopt;
}

// The steps have their end; those of `finally` run now.
void Walk::begin_ending() {
  if (phase_ == kMain && course_.node(kMain).phase == Node::Phase::begun) course_.shut(kMain);
  while (course_.next_settled()) {
  }
  phase_ = kEnding;
  is_over_ = false;
  stop_ = Stop::none;
  timers_.clear();
  const bool owed = live_.progress().owed.is_object();
  if (owed && live_.record().row.state != "running") live_.say({}, {.state = "running"});
  files::crash_point("run.ending");
  for (std::size_t i = 0; i < course_.node(kEnding).members.size(); ++i) {
    const Index member = course_.node(kEnding).members[i];
    bool is_open = true;  // a gate that the site put before everything holds `finally` back too
    for (const std::string& need : course_.node(member).step->needs) {
      const Index before = course_.find(need);
      const bool outside = before != kNone && course_.node(before).parent == kMain;
      if (outside && !is_done(course_.node(before).state) && !is_done(live_.progress().step(need).state))
        is_open = false;
      if (outside && !is_done(course_.node(before).state)) course_.forget_need(member);
    }
    if (is_open) continue;
    const plan::Step& step = *course_.node(member).step;
    live_.add(event_of("pack.step.skipped", {{"when", ""}, {"digest", step.digest.tagged()}}, step.id));
    course_.skip(member);
  }
  course_.open(kEnding);
}

Outcome Walk::finish_owed() {
  const canon::Json owed = live_.progress().owed;
  if (owed.value("state", "") == "cancelled")
    return finish_cancelled(
        live_, {.by = owed.value("by", ""), .reason = owed.value("why", ""), .via = owed.value("via", canon::Json())});
  const fault::CodeInfo* info = fault::find_code(owed.value("code", ""));
  const Error error(info == nullptr ? Code::pack_step_failed : info->code, owed.value("reason", ""),
                    owed.value("message", ""), owed.value("step", live_.id()));
  if (owed.value("state", "") == "expired") return finish_expired(live_, error, owed.value("gate", ""));
  return finish_failed(live_, error, owed.value("step", ""));
}

std::optional<Outcome> Walk::take_gate(Index index) {
  const plan::Step& step = *course_.node(index).step;
  begin(index);
  if (course_.node(index).phase != Node::Phase::begun) return std::nullopt;  // restored, skipped, or held back
  live_.commit();
  GateResult result = pass_gate(live_, step);
  if (result.end == GateEnd::open) {
    course_.end(index, StepState::succeeded);
    return std::nullopt;
  }
  if (result.end == GateEnd::stopped) {
    stop_ = asked_to_stop(live_.folder());
    if (stop_ == Stop::cancelled) return stopped();
    return Outcome{live_.record().row, interrupted_error(live_, {})};  // it waits on
  }
  if (result.end == GateEnd::ended && live_.progress().owed.is_object()) {
    begin_ending();
    return std::nullopt;
  }
  return Outcome{live_.record().row, result.error};
}

}  // namespace stella::run
