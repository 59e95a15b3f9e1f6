// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/tryout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include "appliance/journal/reserve.hpp"
#include "appliance/network/decision.hpp"
#include "appliance/run/outputs.hpp"
#include "appliance/run/reviewed.hpp"
#include "appliance/run/runtime.hpp"
#include "appliance/run/stop.hpp"
#include "appliance/run/view.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kFullStore = 256 << 10;  // free bytes below which a failure is the store's, not the step's

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
  return leases;
}

std::string output_path(const Live& live, const std::string& step, int number) {
  return fmt::format("{}/outputs/{}.{}", live.folder(), step, number);
}

sandbox::Spec spec_of(Live& live, const plan::Step& step, const Leases& leases, const std::string& output_file) {
  const plan::Plan& plan = live.plan();
  const plan::Resolved resolved = resolve_at(live, step);
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

Verdict failed(const plan::Step& step, const std::string& reason, std::string message) {
  return {.state = step.continue_on_error && !is_hard(reason) ? "continued" : "failed",
          .reason = reason,
          .message = std::move(message)};
}

// `secret`: what remove_secrets() found, whatever the step's end was.
Verdict judge(const plan::Step& step, const sandbox::Result& result, const std::string& secret,
              const sandbox::Spec& spec) {
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
    Verdict verdict{.state = "succeeded", .reason = {}, .message = {}};
    verdict.outputs = typed_outputs(read_step_output(spec.output_file), step.outputs);
    for (const Stored& one : check_outputs(step.artifacts, spec.artifacts))
      verdict.artifacts.push_back(
          {{"name", one.name}, {"path", one.path}, {"sha256", one.digest}, {"bytes", one.size_bytes}});
    return verdict;
  } catch (const Error& error) {
    if (error.code() != Code::pack_step_failed) throw;
    return failed(step, error.reason(), error.what());
  }
}

// Who ends a whole group of processes (a service manager, a terminal) tells the step and its runner at once, and the
// step may be the first to end. A moment is waited for the runner's own signal, so that this is not taken for a
// failure.
bool ended_with_its_runner(const sandbox::Result& result, const std::string& folder) {
  const auto stops = [](int number) { return number == SIGINT || number == SIGTERM || number == SIGHUP; };
  const bool by_signal = result.end == sandbox::End::signalled && stops(result.status);
  const bool by_shell = result.end == sandbox::End::exited && stops(result.status - 128);
  if (!by_signal && !by_shell) return false;
  for (int looks = 0; looks < 25; ++looks) {
    if (asked_to_stop(folder) == Stop::interrupted) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
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
  for (const sandbox::Relayed& one : result.relayed) {
    Json data = {{"host", one.host},
                 {"address", one.address},
                 {"port", one.port},
                 {"connections", one.connections},
                 {"bytesOut", one.bytes_out},
                 {"bytesIn", one.bytes_in},
                 {"unreachable", one.unreachable}};
    if (one.cut > 0) data["cut"] = one.cut;
    events.push_back(event_of("pack.network.allowed", std::move(data), step.id));
  }
}

// A commit on the full disk may have given the reserve up meanwhile: what is free then is not the step's.
bool is_full(const std::string& folder) {
  const std::uint64_t held_back =
      journal::has_reserve(folder.substr(0, folder.rfind('/'))) ? 0 : journal::kReserveBytes;
  return files::free_bytes(folder) < kFullStore + held_back;
}

// An error of the disk under a run: it pauses, and nothing of it is lost.
Error store_failure(const std::string& folder, const Error& error) {
  const std::string reason = error.code() == Code::media_gone ? "gone" : "full";
  return Error(Code::artifact_store, reason, fmt::format("the run's folder could not be written: {}", error.what()),
               folder, "Make room, or bring the folder back, then `stella pack runs resume` goes on.");
}

bool is_store_failure(const std::string& folder, const Error& error) {
  if (error.code() == Code::no_space || error.code() == Code::media_gone) return true;
  try {
    return is_full(folder);
  } catch (const Error&) {
    return true;
  }
}

// Before a step starts, so that nobody has to ask how far it came: where it would work and leave its artifacts.
void require_store(const std::string& folder) {
  for (const char* name : {"/work", "/artifacts"}) {
    struct stat found {};
    const std::string path = folder + name;
    if (::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && ::access(path.c_str(), R_OK | X_OK) == 0)
      continue;
    throw Error(Code::artifact_store, "gone", fmt::format("{} is not there, or is closed", path), path,
                "Bring the folder back, then `stella pack runs resume` goes on.");
  }
}

// An output file that says nothing need not lie there.
void drop_if_empty(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && found.st_size == 0) ::unlink(path.c_str());
}

void run_in_sandbox(Tryout& tryout, const Tools& tools, Sink& sink) {
  const plan::Step& step = *tryout.step;
  const redaction::Patterns patterns(tryout.leases.values);
  Capture capture(sink, *tryout.logs, *tools.clock, step.id, tryout.number, tryout.log_name, patterns);
  try {
    tryout.result = tools.sandbox(tryout.spec, capture);
    if (ended_with_its_runner(tryout.result, tryout.folder)) tryout.result.end = sandbox::End::stopped;
    const std::string secret = remove_secrets(patterns, tryout.spec.output_file, tryout.spec.artifacts);
    tryout.verdict = judge(step, tryout.result, secret, tryout.spec);
  } catch (const Error& error) {
    if (error.code() != Code::pack_step_failed) throw;
    tryout.verdict = failed(step, error.reason(), error.what());  // reason exec: the program could not be started
  }
  if (tryout.result.end == sandbox::End::stopped && tryout.halt == Halt::group)
    tryout.verdict = {.state = "failed", .reason = "halted", .message = "the group it stands in ended"};
  tryout.log = capture.finish();
  drop_if_empty(tryout.spec.output_file);
  if (tryout.verdict.state == "failed" && tryout.verdict.reason == "exit" && is_full(tryout.folder))
    throw Error(Code::no_space, "full", fmt::format("step {} failed and there is no space left", step.id));
}

}  // namespace

std::vector<journal::NewEvent> Leases::events(const std::string& type, const std::string& step) const {
  std::vector<journal::NewEvent> made;
  for (const lease::Leased& one : held) {
    Json data = {{"name", one.name}, {"scope", one.scope}, {"version", one.version}};
    if (one.last_four) data["lastFour"] = *one.last_four;
    made.push_back(event_of(type, std::move(data), step));
  }
  return made;
}

std::unique_ptr<Tryout> prepare(Live& live, const plan::Step& step, Index node) {
  require_store(live.folder());
  auto tryout = std::make_unique<Tryout>();
  tryout->step = &step;
  tryout->node = node;
  tryout->number = live.progress().step(step.id).tries + 1;
  tryout->folder = live.folder();
  tryout->log_name = fmt::format("logs/{}.{}.log", step.id, tryout->number);
  tryout->logs = &live.logs();
  tryout->leases = lease_all(live, step);
  for (const lease::Leased& one : tryout->leases.held) tryout->leases.values.push_back({one.name, &one.value});
  tryout->spec = spec_of(live, step, tryout->leases, output_path(live, step.id, tryout->number));
  for (auto& event : tryout->leases.events("pack.secret.leased", step.id)) live.add(std::move(event));
  Json data = {{"try", tryout->number}, {"log", tryout->log_name}, {"digest", step.digest.tagged()}};
  live.add(event_of("pack.step.started", std::move(data), step.id));
  return tryout;
}

void perform(Tryout& tryout, const Tools& tools, Sink& sink) noexcept {
  try {
    run_in_sandbox(tryout, tools, sink);
  } catch (const Error& error) {
    tryout.error = is_store_failure(tryout.folder, error) ? store_failure(tryout.folder, error) : error;
  } catch (const std::exception& error) {
    tryout.error = Error(Code::internal, "lane", error.what(), tryout.step->id);
  }
}

void conclude(Live& live, const Tryout& tryout) {
  const plan::Step& step = *tryout.step;
  if (tryout.error) return take_back(live, tryout, *tryout.error);
  std::vector<journal::NewEvent> events = tryout.leases.events("pack.secret.released", step.id);
  add_network(events, step, tryout.result);
  Json data = {{"try", tryout.number},
               {"state", tryout.verdict.state},
               {"outputs", tryout.verdict.outputs},
               {"elapsedMs", tryout.result.elapsed.count()},
               {"limits", tryout.result.limits},
               {"digest", step.digest.tagged()}};
  if (!tryout.verdict.artifacts.empty()) data["artifacts"] = tryout.verdict.artifacts;
  data["log"] = tryout.log_name;
  data["logBytes"] = tryout.log.size_bytes;
  data["logSha256"] = tryout.log.digest;
  if (tryout.result.end == sandbox::End::exited) data["exit"] = tryout.result.status;
  if (tryout.result.end == sandbox::End::signalled) data["signal"] = tryout.result.status;
  if (!tryout.verdict.reason.empty()) {
    data["reason"] = tryout.verdict.reason;
    data["message"] = tryout.verdict.message;
  }
  events.push_back(event_of("pack.step.finished", std::move(data), step.id));
  for (auto& event : events) live.add(std::move(event));
}

// The step was started and the runner itself could not go on: nobody knows how far it came, unless it never ran.
void take_back(Live& live, const Tryout& tryout, const Error& error) {
  const bool never_ran = error.code() == Code::sandbox_unavailable || error.reason() == "not-started";
  for (auto& event : tryout.leases.events("pack.secret.released", tryout.step->id)) live.add(std::move(event));
  live.add(event_of("pack.step.finished",
                    {{"try", tryout.number},
                     {"state", never_ran ? "pending" : "unknown"},
                     {"reason", error.reason()},
                     {"digest", tryout.step->digest.tagged()}},
                    tryout.step->id));
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

}  // namespace stella::run
