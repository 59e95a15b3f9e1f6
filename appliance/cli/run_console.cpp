// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_console.hpp"

#include <fmt/format.h>

#include <memory>

#include "appliance/cli/run_report.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

std::string text_of(const canon::Json& data, const char* name) {
  const auto found = data.find(name);
  if (found == data.end() || found->is_null()) return {};
  return canon::printable(found->is_string() ? found->get<std::string>() : canon::canonical(*found), 300);
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

int show_outcome(Invocation& call, const journal::Journal& journal, const run::Outcome& outcome) {
  const auto summary = summary_of(call, journal, outcome.row);
  if (call.out().is_table()) say_summary(call.out(), summary, call.clock().now(), Fold::large_groups);
  call.out().result(summary);
  if (outcome.error) throw *outcome.error;
  return 0;
}

}  // namespace stella::cli
