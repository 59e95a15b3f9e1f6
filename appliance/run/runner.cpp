// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "appliance/network/decision.hpp"
#include "appliance/run/attempt.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/gates.hpp"
#include "appliance/run/stop.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

bool is_ready(const Progress& progress, const plan::Step& step) {
  if (progress.step(step.id).state != StepState::pending) return false;
  return std::all_of(step.needs.begin(), step.needs.end(),
                     [&](const auto& need) { return is_done(progress.step(need).state); });
}

// What starts next; gates last.
const plan::Step* next_step(const plan::Plan& plan, const Progress& progress) {
  const plan::Step* gate = nullptr;
  for (const plan::Step& step : plan.steps) {
    if (!is_ready(progress, step)) continue;
    if (step.kind != plan::Kind::gate_approval) return &step;
    if (gate == nullptr) gate = &step;
  }
  return gate;
}

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

Error step_error(Live& live, const plan::Step& step) {
  const StepProgress& progress = live.progress().step(step.id);
  if (progress.reason == "network") return blocked_error(live, step);
  const bool timeout = progress.reason == "timeout";
  std::string what = fmt::format("step {} failed ({})", step.id, progress.reason);
  for (auto event = live.record().events.rbegin(); event != live.record().events.rend(); ++event) {
    if (event->type != "pack.step.finished" || event->step != step.id) continue;
    if (const auto message = event->data.find("message"); message != event->data.end())
      what = fmt::format("step {}: {}", step.id, message->get<std::string>());
    break;
  }
  return Error(
      timeout ? Code::pack_step_timeout : Code::pack_step_failed, progress.reason, what, step.id,
      fmt::format("Read `stella pack runs logs {} --step {}`, mend the cause, then `stella pack runs resume --run {}`.",
                  live.id(), step.id, live.id()));
}

Error interrupted_error(Live& live, const std::string& step, plan::OnCrash on_crash) {
  const std::string fix =
      step.empty() || on_crash != plan::OnCrash::ask
          ? fmt::format("stella pack runs resume --run {}", live.id())
          : fmt::format("stella pack runs resume --run {} --rerun {}   (or --fail {})", live.id(), step, step);
  return Error(Code::pack_interrupted, "interrupted",
               step.empty() ? "stopped by a signal" : fmt::format("stopped by a signal in step {}", step), live.id(),
               fix);
}

Outcome stopped(Live& live, const plan::Step* step) {
  if (asked_to_stop(live.folder()) == Stop::cancelled) return finish_cancelled(live);
  return pause(
      live,
      interrupted_error(live, step == nullptr ? "" : step->id, step == nullptr ? plan::OnCrash::rerun : step->on_crash),
      step == nullptr ? "" : step->id);
}

// False when it was told to stop meanwhile.
bool wait_before_retry(const Live& live, std::chrono::milliseconds delay) {
  const auto until = std::chrono::steady_clock::now() + delay;
  while (std::chrono::steady_clock::now() < until) {
    if (asked_to_stop(live.folder()) != Stop::none) return false;
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(
        std::chrono::milliseconds(50), until - std::chrono::steady_clock::now()));
  }
  return true;
}

std::optional<Outcome> run_tries(Live& live, const plan::Step& step) {
  while (true) {
    const TryEnd end = try_step(live, step);
    if (end == TryEnd::stopped) return stopped(live, &step);
    if (end == TryEnd::succeeded && live.progress().step(step.id).state == StepState::succeeded) return std::nullopt;
    const StepProgress& progress = live.progress().step(step.id);
    if (!wants_retry(step.retries, progress)) {
      if (end == TryEnd::succeeded) return std::nullopt;  // continued
      return finish_failed(live, step_error(live, step), step.id);
    }
    const auto delay = delay_before(step.retries, progress.tries_now + 1);
    live.say(
        {event_of("pack.step.retried",
                  {{"try", progress.tries + 1}, {"delayMs", delay.count()}, {"reason", progress.reason}}, step.id)});
    if (!wait_before_retry(live, delay)) return stopped(live, nullptr);
  }
}

std::optional<Outcome> judge_policy(Live& live, const plan::Step& step) {
  const bool open = plan::holds(step.expression, context_of(live));
  canon::Json data = {
      {"state", open ? "succeeded" : "failed"}, {"kind", "gate.policy"}, {"digest", step.digest.tagged()}};
  if (!open) data["reason"] = "policy";
  if (!open)
    data["message"] = step.message.empty()
                          ? fmt::format("the policy gate's expression does not hold: {}", step.expression)
                          : step.message;
  live.say({event_of("pack.step.finished", std::move(data), step.id)});
  if (open) return std::nullopt;
  return finish_failed(live, step_error(live, step), step.id);
}

std::optional<Outcome> take_gate(Live& live, const plan::Step& step) {
  GateResult result = pass_gate(live, step);
  if (result.end == GateEnd::open) return std::nullopt;
  if (result.end == GateEnd::stopped && asked_to_stop(live.folder()) == Stop::cancelled) return finish_cancelled(live);
  if (result.end == GateEnd::stopped)
    return Outcome{live.record().row, interrupted_error(live, {}, plan::OnCrash::rerun)};  // it waits on
  return Outcome{live.record().row, result.error};
}

std::optional<Outcome> take_step(Live& live, const plan::Step& step) {
  if (!step.when.empty() && !plan::holds(step.when, context_of(live))) {
    live.say({event_of("pack.step.skipped", {{"when", step.when}, {"digest", step.digest.tagged()}}, step.id)});
    return std::nullopt;
  }
  if (step.kind == plan::Kind::gate_policy) return judge_policy(live, step);
  if (step.kind == plan::Kind::gate_approval) return take_gate(live, step);
  if (live.record().row.state != "running") live.say({}, {.state = "running", .code = "", .reason = ""});
  return run_tries(live, step);
}

// A step that failed before the runner could say what follows from it.
std::optional<Outcome> settle_failed(Live& live) {
  for (const plan::Step& step : live.plan().steps) {
    const StepProgress progress = live.progress().step(step.id);
    if (progress.state != StepState::failed) continue;
    if (!wants_retry(step.retries, progress)) return finish_failed(live, step_error(live, step), step.id);
    live.say({event_of("pack.step.retried", {{"try", progress.tries + 1}, {"delayMs", 0}, {"reason", progress.reason}},
                       step.id)});
  }
  return std::nullopt;
}

Outcome walk(Live& live) {
  if (auto end = settle_failed(live)) return *end;
  while (const plan::Step* step = next_step(live.plan(), live.progress())) {
    if (asked_to_stop(live.folder()) != Stop::none) return stopped(live, nullptr);
    if (auto end = take_step(live, *step)) return *end;
  }
  return finish_done(live);
}

// Errors that a person mends and that then let the same attempt go on.
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
      return true;
    default:
      return false;
  }
}

}  // namespace

void unpack_afresh(const Record& record) {
  const std::string folder = record.row.folder + "/pack";
  files::remove_tree(folder);
  packfile::unpack(*record.pack, folder);
}

Outcome go_on(Live& live) {
  try {
    if (!live.progress().started)
      live.say({event_of("pack.run.started", {{"planHash", live.plan().hash_text()}})},
               {.state = "running", .code = "", .reason = ""});
    files::crash_point("run.started");
    prove_passed_gates(live);
    return walk(live);
  } catch (const Error& error) {
    if (!is_pause(error)) throw;
    return pause(live, error, error.at());
  }
}

}  // namespace stella::run
