// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_console.hpp"

#include <fmt/format.h>

#include <memory>

#include "appliance/run/summary.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

std::string text_of(const canon::Json& data, const char* name) {
  const auto found = data.find(name);
  if (found == data.end() || found->is_null()) return {};
  return canon::printable(found->is_string() ? found->get<std::string>() : canon::canonical(*found), 300);
}

std::string coloured(Output& out, const std::string& state) {
  if (state == "succeeded" || state == "passed" || state == "open") return out.good(state);
  if (state == "failed" || state == "expired" || state == "rejected" || state == "cancelled") return out.bad(state);
  return state;
}

}  // namespace

void RunConsole::event(const journal::Event& event) {
  Output& out = call_->out();
  if (out.format() == Format::ndjson) return out.event(canon::parse_json(event.line, fault::Code::internal, event.run));
  const std::string& type = event.type;
  if (type == "pack.run.started") out.note(fmt::format("run {} (plan {})", event.run, text_of(event.data, "planHash")));
  if (type == "pack.run.resumed")
    out.note(fmt::format("run {} goes on: attempt {}, {} steps reused", event.run, event.attempt,
                         event.data.at("reused").size()));
  if (type == "pack.step.started") out.note(out.strong(fmt::format("▶ {}", event.step)));
  if (type == "pack.step.skipped") out.note(fmt::format("- {} skipped: its `when` does not hold", event.step));
  if (type == "pack.step.retried") out.note(fmt::format("↻ {} again, try {}", event.step, text_of(event.data, "try")));
  if (type == "pack.secret.leased")
    out.note(fmt::format("  secret {} version {} leased to {}", text_of(event.data, "name"),
                         text_of(event.data, "version"), event.step));
  if (type == "pack.gate.approved") out.note(out.good(fmt::format("✓ gate {} is open", text_of(event.data, "gate"))));
  if (type == "pack.evidence.sealed")
    out.note(fmt::format("evidence sealed: bag {} ({})", text_of(event.data, "number"), text_of(event.data, "bag")));
  if (type != "pack.step.finished") return;
  const std::string state = text_of(event.data, "state");
  const bool good = state == "succeeded";
  out.note(good ? out.good(fmt::format("✓ {}", event.step))
                : out.bad(fmt::format("✗ {} {}: {}", event.step, state, text_of(event.data, "message"))));
}

void RunConsole::line(const std::string& step, std::string_view text) {
  call_->out().note(fmt::format("{} | {}", step, text));
}

void RunConsole::note(const std::string& text) {
  call_->out().note(text);
}

std::string need_run(Invocation& call) {
  const auto option = call.value("--run"), plain = call.value("RUN");
  if (option && plain && *option != *plain)
    throw fault::Error(fault::Code::usage, "run", "two runs were named", {}, "Name the run once.");
  if (option) return *option;
  if (plain) return *plain;
  throw fault::Error(fault::Code::usage, "run", "no run was named", {},
                     "Give --run RUN; `stella pack runs list` shows them.");
}

run::Tools tools_for(Invocation& call, journal::Journal& journal, RunConsole& console,
                     std::unique_ptr<lease::Source> secrets) {
  // std::function must be copyable; the source is handed out once.
  auto given = std::make_shared<std::unique_ptr<lease::Source>>(std::move(secrets));
  return {
      .home = &call.home(),
      .journal = &journal,
      .clock = &call.clock(),
      .listener = &console,
      .sandbox = [](const sandbox::Spec& spec, sandbox::Observer& observer) { return sandbox::run(spec, observer); },
      .open_secrets =
          [&call, given] { return *given ? std::move(*given) : lease::open_vault(call.home(), call.passphrases()); }};
}

void say_summary(Output& out, const canon::Json& summary) {
  out.say(out.strong(fmt::format("{}  ", summary.at("runId").get<std::string>())) +
          coloured(out, summary.at("state").get<std::string>()));
  for (const auto& [name, label] : {std::pair{"pack", "pack"},
                                    {"planHash", "plan"},
                                    {"requestedBy", "by"},
                                    {"attempt", "attempt"},
                                    {"code", "code"},
                                    {"reason", "reason"},
                                    {"evidence", "evidence"}}) {
    const std::string value = text_of(summary, name);
    if (!value.empty()) out.say(fmt::format("  {:<9}{}", label, value));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : summary.at("steps"))
    rows.push_back({text_of(step, "step"), text_of(step, "state"), text_of(step, "tries"), text_of(step, "reason")});
  out.table({"STEP", "STATE", "TRIES", "REASON"}, rows);
  for (const auto& gate : summary.at("gates"))
    out.say(fmt::format("  gate {}: {}, {} of {} approvals{}", text_of(gate, "gate"),
                        coloured(out, text_of(gate, "state")), text_of(gate, "have"), text_of(gate, "need"),
                        text_of(gate, "expiresAt").empty() ? "" : ", runs out " + text_of(gate, "expiresAt")));
  for (const auto& one : summary.at("blocked")) {
    const std::string address = text_of(one, "address");
    out.say(out.bad(fmt::format("  blocked: {}: {} {} {}{} port {} ({} times)", text_of(one, "step"),
                                text_of(one, "program"), text_of(one, "protocol"), text_of(one, "host"),
                                address.empty() ? "" : " " + address, text_of(one, "port"), text_of(one, "count"))));
  }
}

int show_outcome(Invocation& call, const journal::Journal& journal, const run::Outcome& outcome) {
  const auto summary = run::summary_json(call.home(), journal, outcome.row, call.clock().now());
  if (call.out().is_table()) say_summary(call.out(), summary);
  call.out().result(summary);
  if (outcome.error) throw *outcome.error;
  return 0;
}

}  // namespace stella::cli
