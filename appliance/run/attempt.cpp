// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/attempt.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "appliance/network/decision.hpp"
#include "appliance/run/capture.hpp"
#include "appliance/run/outputs.hpp"
#include "appliance/run/reviewed.hpp"
#include "appliance/run/runtime.hpp"
#include "appliance/run/stop.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kFullStore = 256 << 10;  // free bytes below which a failure is the store's, not the step's

struct Leases {
  std::vector<lease::Leased> held;
  std::vector<redaction::Value> values;  // point into `held`
  std::vector<journal::NewEvent> events(const std::string& type, const std::string& step) const {
    std::vector<journal::NewEvent> made;
    for (const lease::Leased& one : held) {
      Json data = {{"name", one.name}, {"scope", one.scope}, {"version", one.version}};
      if (one.last_four) data["lastFour"] = *one.last_four;
      made.push_back(event_of(type, std::move(data), step));
    }
    return made;
  }
};

Leases lease_all(Live& live, const plan::Step& step) {
  Leases leases;
  if (step.secrets.empty()) return leases;
  lease::Ticket ticket{.tenant = live.record().row.tenant,
                       .run = live.id(),
                       .plan_hash = live.plan().hash_text(),
                       .step = step.id,
                       .declared = {}};
  for (const plan::Secret& secret : step.secrets) ticket.declared.push_back({secret.name, secret.scope});
  for (const lease::Wanted& wanted : ticket.declared) {
    leases.held.push_back(live.secrets().lease(ticket, wanted));
    require_reviewed_version(live.record(), step.id, leases.held.back(), live.now());
  }
  for (const lease::Leased& one : leases.held) leases.values.push_back({one.name, &one.value});
  return leases;
}

std::string output_path(const Live& live, const std::string& step, int number) {
  return fmt::format("{}/outputs/{}.{}", live.folder(), step, number);
}

sandbox::Spec spec_of(Live& live, const plan::Step& step, const Leases& leases, const std::string& output_file) {
  const plan::Plan& plan = live.plan();
  const plan::Resolved resolved = plan::resolve(step, context_of(live));
  sandbox::Spec spec;
  spec.step_id = step.id;
  spec.argv = resolved.argv;
  spec.env = resolved.env;
  spec.env["STELLA_RUN_ID"] = live.id();
  spec.env["STELLA_STEP_ID"] = step.id;
  spec.env["STELLA_TENANT"] = plan.tenant;
  spec.env["STELLA_PACK_ID"] = plan.pack_name + ":" + plan.pack_version;
  spec.env["STELLA_PLAN_HASH"] = plan.hash_text();
  for (std::size_t i = 0; i < leases.held.size(); ++i)
    spec.secrets.push_back({leases.held[i].name, &leases.held[i].value, step.secrets[i].env});
  const std::string& folder = live.folder();
  spec.pack = folder + "/pack";
  use_runtime(spec, live.record());
  spec.inputs = folder + "/inputs";
  spec.work = folder + "/work";
  spec.artifacts = folder + "/artifacts";
  spec.output_file = output_file;
  for (const plan::Endpoint& one : step.network) spec.allowed.push_back({one.host, one.address, one.port});
  for (const plan::Endpoint& one : live.record().undeclared)
    spec.undeclared.push_back({one.host, one.address, one.port});
  spec.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(step.timeout);
  spec.fail_fast = live.choices().fail_fast;
  spec.dns_block = !live.record().current || live.record().current->policy.dns_block;
  return spec;
}

struct Verdict {
  std::string state, reason, message;
  Json outputs = Json::object();
};

Verdict failed(const plan::Step& step, const std::string& reason, std::string message) {
  // A blocked attempt or a secret let out is never something to go on after.
  const bool hard = reason == "network" || reason == "secret-in-output";
  return {.state = step.continue_on_error && !hard ? "continued" : "failed",
          .reason = reason,
          .message = std::move(message)};
}

// `secret`: what remove_secrets() found, whatever the step's end was.
Verdict judge(const plan::Step& step, const sandbox::Result& result, const std::string& secret,
              const std::string& output_file) {
  if (result.end == sandbox::End::stopped)
    return {.state = "unknown", .reason = "stopped", .message = "it was told to stop"};
  if (!result.blocked.empty() || result.witness_lost > 0 || result.end == sandbox::End::blocked_fast)
    return failed(step, "network",
                  fmt::format("{} blocked attempts", std::max<std::uint64_t>(result.blocked.size(), 1)));
  if (!secret.empty()) return failed(step, "secret-in-output", secret);
  if (result.end == sandbox::End::timed_out)
    return failed(step, "timeout", fmt::format("it took longer than {}", clock::format_duration(step.timeout)));
  if (result.end == sandbox::End::signalled)
    return failed(step, "signal", fmt::format("it was ended by signal {}", result.status));
  if (result.status != 0) return failed(step, "exit", fmt::format("it exited with status {}", result.status));
  try {
    Json outputs = read_step_output(output_file);
    return {.state = "succeeded", .reason = {}, .message = {}, .outputs = std::move(outputs)};
  } catch (const Error& error) {
    if (error.code() != Code::pack_step_failed) throw;
    return failed(step, error.reason(), error.what());
  }
}

Json blocked_json(const sandbox::Blocked& one) {
  return {{"program", one.program},
          {"protocol", one.protocol},
          {"host", one.host},
          {"address", one.address},
          {"port", one.port},
          {"count", one.count},
          {"first", clock::format_millis(one.first)},
          {"line", network::policy_line(one.host, one.address, one.port)}};
}

void add_network(std::vector<journal::NewEvent>& events, const plan::Step& step, const sandbox::Result& result) {
  for (const sandbox::Blocked& one : result.blocked)
    events.push_back(event_of("pack.network.blocked", blocked_json(one), step.id));
  if (result.witness_lost > 0) {
    const sandbox::Blocked lost{.program = "?",
                                .protocol = "other",
                                .host = {},
                                .address = {},
                                .port = 0,
                                .count = result.witness_lost,
                                .first = {}};
    Json data = blocked_json(lost);
    data["lost"] = true;  // attempts that were stopped, but came faster than they could be named
    events.push_back(event_of("pack.network.blocked", std::move(data), step.id));
  }
  for (const sandbox::Relayed& one : result.relayed)
    events.push_back(event_of("pack.network.allowed",
                              {{"host", one.host},
                               {"address", one.address},
                               {"port", one.port},
                               {"connections", one.connections},
                               {"bytesOut", one.bytes_out},
                               {"bytesIn", one.bytes_in},
                               {"unreachable", one.unreachable}},
                              step.id));
}

TryEnd say_end(Live& live, const plan::Step& step, int number, const sandbox::Result& result, const Verdict& verdict,
               const std::string& log_name, const Capture::Log& log, const Leases& leases) {
  std::vector<journal::NewEvent> events = leases.events("pack.secret.released", step.id);
  add_network(events, step, result);
  Json data = {{"try", number},
               {"state", verdict.state},
               {"log", log_name},
               {"logBytes", log.size_bytes},
               {"logSha256", log.digest},
               {"outputs", verdict.outputs},
               {"elapsedMs", result.elapsed.count()},
               {"limits", result.limits},
               {"digest", step.digest.tagged()}};
  if (result.end == sandbox::End::exited) data["exit"] = result.status;
  if (result.end == sandbox::End::signalled) data["signal"] = result.status;
  if (!verdict.reason.empty()) {
    data["reason"] = verdict.reason;
    data["message"] = verdict.message;
  }
  events.push_back(event_of("pack.step.finished", std::move(data), step.id));
  live.say(std::move(events));
  files::crash_point("step.finished");
  if (verdict.state == "unknown") return TryEnd::stopped;
  return verdict.state == "failed" ? TryEnd::failed : TryEnd::succeeded;
}

// The step was started and the runner itself could not go on: nobody knows how far the step came.
void say_unknown(Live& live, const plan::Step& step, int number, const Leases& leases, const Error& error) {
  const bool never_ran = error.code() == Code::sandbox_unavailable;
  std::vector<journal::NewEvent> events = leases.events("pack.secret.released", step.id);
  events.push_back(event_of("pack.step.finished",
                            {{"try", number},
                             {"state", never_ran ? "pending" : "unknown"},
                             {"reason", error.reason()},
                             {"digest", step.digest.tagged()}},
                            step.id));
  live.say(std::move(events));
}

bool is_store_failure(const Live& live, const Error& error) {
  return error.code() == Code::no_space || error.code() == Code::media_gone ||
         files::free_bytes(live.folder()) < kFullStore;
}

Error store_failure(const Live& live, const std::string& what) {
  return Error(Code::artifact_store, "full", fmt::format("the run's folder could not be written: {}", what),
               live.folder(), fmt::format("Make room, then `stella pack runs resume --run {}`.", live.id()));
}

// One lane, on the runner's own thread: what it says goes straight to the journal.
class LaneSink : public Sink {
 public:
  LaneSink(Live& live, std::string step) : live_(&live), step_(std::move(step)) {}
  void line(std::string_view text) override { live_->tools().listener->line(step_, text); }
  void note(std::string text) override { live_->tools().listener->note(text); }
  void part(Json data) override {
    live_->say({event_of("pack.step.output", std::move(data), step_)});
    files::crash_point("step.output");
  }
  bool stop_requested() override { return asked_to_stop(live_->folder()) != Stop::none; }

 private:
  Live* live_;
  std::string step_;
};

TryEnd run_started(Live& live, const plan::Step& step, int number, const sandbox::Spec& spec, const Leases& leases,
                   const std::string& log_name) {
  const redaction::Patterns patterns(leases.values);
  LaneSink sink(live, step.id);
  Capture capture(sink, live.logs(), *live.tools().clock, step.id, number, log_name, patterns);
  sandbox::Result result;
  Verdict verdict;
  try {
    result = live.tools().sandbox(spec, capture);
    verdict = judge(step, result, remove_secrets(patterns, spec.output_file, spec.artifacts), spec.output_file);
  } catch (const Error& error) {
    if (error.code() != Code::pack_step_failed) throw;
    verdict = failed(step, error.reason(), error.what());  // reason exec: the program could not be started
  }
  const Capture::Log log = capture.finish();
  if (verdict.state == "failed" && verdict.reason == "exit" && files::free_bytes(live.folder()) < kFullStore)
    throw Error(Code::no_space, "full", fmt::format("step {} failed and there is no space left", step.id));
  return say_end(live, step, number, result, verdict, log_name, log, leases);
}

}  // namespace

TryEnd try_step(Live& live, const plan::Step& step) {
  const int number = live.progress().step(step.id).tries + 1;
  const std::string log_name = fmt::format("logs/{}.{}.log", step.id, number);
  const Leases leases = lease_all(live, step);
  const std::string output_file = output_path(live, step.id, number);
  files::write_atomically(output_file, "", 0600);
  const sandbox::Spec spec = spec_of(live, step, leases, output_file);
  std::vector<journal::NewEvent> events = leases.events("pack.secret.leased", step.id);
  events.push_back(
      event_of("pack.step.started", {{"try", number}, {"log", log_name}, {"digest", step.digest.tagged()}}, step.id));
  live.say(std::move(events));
  files::crash_point("step.started");
  try {
    return run_started(live, step, number, spec, leases, log_name);
  } catch (const Error& error) {
    say_unknown(live, step, number, leases, error);
    if (is_store_failure(live, error)) throw store_failure(live, error.what());
    throw;
  }
}

bool wants_retry(const plan::Retries& retries, const StepProgress& step) {
  if (step.tries_now >= retries.max_attempts) return false;
  if (step.reason != "exit" && step.reason != "signal" && step.reason != "timeout") return false;
  if (retries.on.empty()) return true;
  const std::string seen = step.reason == "exit" ? fmt::format("exit:{}", step.exit_status) : step.reason;
  return std::find(retries.on.begin(), retries.on.end(), seen) != retries.on.end();
}

std::chrono::milliseconds delay_before(const plan::Retries& retries, int next_try) {
  const double seconds = std::min(retries.backoff_seconds * std::pow(retries.factor, std::max(0, next_try - 2)),
                                  retries.max_backoff_seconds);
  // Jitter shortens the wait by up to that part of it; the fraction need not be secret, only different between runs.
  const auto digits = canon::random_hex(2);
  const double fraction = static_cast<double>(std::stoul(digits, nullptr, 16)) / 65535.0;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::max(0.0, seconds * (1 - retries.jitter * fraction)) * 1000));
}

Json context_of(Live& live) {
  plan::Progress reached{.run_id = live.id(), .attempt = live.progress().attempt, .steps = {}, .approvals = {}};
  for (const auto& [id, step] : live.progress().steps) {
    if (!is_done(step.state)) continue;
    plan::StepResult result{.state = name_of(step.state), .exit_status = step.exit_status, .outputs = {}};
    for (const auto& [name, value] : step.outputs.items()) result.outputs[name] = value.get<std::string>();
    reached.steps[id] = std::move(result);
  }
  reached.approvals = live.record().approved_by;
  return plan::context(live.plan(), reached);
}

}  // namespace stella::run
