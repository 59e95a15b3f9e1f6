// SPDX-License-Identifier: Apache-2.0
// pack runs cancel: ends a run, whether another process has it or none.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/run_report.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/cli/via.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/stop.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr clock::Duration kGrace = std::chrono::seconds(30), kMaxGrace = std::chrono::hours(1);

int cancelled(Invocation& call, journal::Journal& journal, const std::string& id) {
  const auto row = journal.need(id);
  const auto summary = summary_of(call, journal, row);
  call.out().say(fmt::format("{} is {}", id, row.state));
  call.out().result(summary);
  return 0;
}

// The runner has it: it sees the request within a tenth of a second, tells its steps to end (SIGTERM), gives them the
// grace, and says so.
int ask_runner(Invocation& call, journal::Journal& journal, const journal::RunRow& row, clock::Duration grace) {
  call.out().note(fmt::format("another process runs {}: asked it to end its steps within {}", row.id,
                              clock::format_duration(grace)));
  const auto until = std::chrono::steady_clock::now() + grace + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < until) {
    if (journal::is_final(journal.need(row.id).state)) return cancelled(call, journal, row.id);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw Error(Code::run_busy, "run",
              fmt::format("the process that runs {} has not answered; the request stays", row.id), row.id);
}

clock::Duration grace_of(Invocation& call) {
  const auto text = call.value("--grace");
  if (!text) return kGrace;
  const clock::Duration grace = clock::parse_duration(*text, Code::usage, "--grace");
  if (grace <= kMaxGrace) return grace;
  throw Error(Code::usage, "duration", fmt::format("a grace of {} is too long", clock::format_duration(grace)),
              "--grace", "At most 1h; --grace 0s kills at once.");
}

int cancel_run(Invocation& call) {
  const std::string reason = reason_of(call);
  const clock::Duration grace = grace_of(call);
  const std::string id = need_run(call);
  auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  if (row.state == "cancelled") return cancelled(call, journal, id);
  if (journal::is_final(row.state))
    throw Error(Code::usage, "state", fmt::format("{} has ended already: it is {}", id, row.state), id,
                "There is nothing to cancel.");
  run::Choices choices;
  choices.who = operator_here(call, row.tenant);
  run::request_cancel(row.folder,
                      {.by = choices.who, .reason = reason, .via = via_here(call, row.tenant), .grace = grace});
  const auto lock = journal.try_lock_run(row);
  if (!lock) return ask_runner(call, journal, row, grace);
  if (journal::is_final(journal.need(id).state)) return cancelled(call, journal, id);
  run::Record record;  // no plan is needed to end a run
  record.row = journal.need(id);
  for (const auto& event : journal.events(id)) {
    run::apply(record.progress, event);
    record.last_seq = event.seq;
  }
  RunConsole console(call);
  run::Live live(tools_for(call, journal, console, nullptr), record, choices);
  // Begun, and not yet decided: its `finally` steps come first, in whoever resumes it.
  if (record.progress.started && record.progress.has_ending && !record.progress.owed.is_object())
    run::owe_cancelled(live);
  else
    (void)run::finish_cancelled(live);
  return cancelled(call, journal, id);
}

}  // namespace

Command runs_cancel_command() {
  return {{"pack", "runs", "cancel"},
          "end a run: its steps get SIGTERM, a grace, then SIGKILL",
          "stella pack runs cancel --run run:plant-7:20261123T165433120Z --reason \"wrong cell\"",
          {kRunArgument},
          {kRunOption,
           {"--reason", "TEXT", "why, for the evidence", false, false, false},
           {"--grace", "DURATION", "how long steps may take to end by themselves (default 30s)", false, false, false},
           kViaOption},
          cancel_run};
}

}  // namespace stella::cli
