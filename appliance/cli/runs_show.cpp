// SPDX-License-Identifier: Apache-2.0
// pack runs show: one run with its steps, gates, blocked attempts, evidence, and what to do next.
#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/run_report.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/run/expiry.hpp"

namespace stella::cli {
namespace {

int show_run(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const auto summary = summary_of(call, journal, journal.need(id));
  if (call.out().is_table())
    say_summary(call.out(), summary, call.clock().now(), call.flag("--all") ? Fold::nothing : Fold::large_groups);
  if (call.out().format() == Format::ndjson) {
    for (const auto& event : journal.events(id))
      call.out().event(canon::parse_json(event.line, fault::Code::journal_tampered, id));
  }
  call.out().result(summary);
  return 0;
}

}  // namespace

Command runs_show_command() {
  return {{"pack", "runs", "show"},
          "one run: steps, gates and who is missing, blocked attempts, evidence, what to do next",
          "stella pack runs show run:plant-7:20261123T165433120Z",
          {kRunArgument},
          {kRunOption, {"--all", "", "every member of groups with more than 50", false, false, false}},
          show_run};
}

}  // namespace stella::cli
