// SPDX-License-Identifier: Apache-2.0
// chaos inject: a resilience test against a run, where the site allows it.
#include "appliance/chaos/inject.hpp"

#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/replan.hpp"

namespace stella::cli {
namespace {

std::vector<std::string> steps_of_run(const journal::Journal& journal, const journal::RunRow& row) {
  const plan::Plan plan = run::stored_plan(row);
  const run::Made made = run::known_turns(plan, run::progress_of(journal.events(row.id)));
  std::vector<std::string> ids;
  for (const plan::Step* step : run::steps_of(plan, made)) ids.push_back(step->id);
  return ids;
}

canon::Json result_of(const chaos::Injection& injection, const journal::RunRow& row) {
  canon::Json result = chaos::data_of(injection);
  result["runId"] = row.id;
  result["runState"] = row.state;
  result["seq"] = injection.seq;
  result["at"] = clock::format_millis(injection.at);
  return result;
}

int inject_hook(Invocation& call) {
  chaos::Wish wish;
  wish.hook = chaos::parse_hook(call.need("--hook"));
  if (const auto text = call.value("--for")) wish.span = chaos::parse_span(*text);
  wish.step = call.value("--step").value_or("");
  const std::string id = need_run(call);
  const clock::Time now = deciding_time(call);
  const auto applied = site::load_applied(call.home());
  chaos::require_allowed(applied ? &applied->policy : nullptr, now);
  auto journal = run::open_journal(call.home(), now);
  const auto row = journal.need(id);
  chaos::require_step(wish.step, wish.step.empty() ? std::vector<std::string>{} : steps_of_run(journal, row));
  wish.by = operator_here(call, row.tenant);
  const chaos::Injection injection = chaos::inject(journal, id, wish, now);
  call.out().say(fmt::format("{}{} until {} in {}, which is {}", chaos::name_of(injection.hook),
                             injection.step.empty() ? "" : " on step " + injection.step, clock::format(injection.until),
                             id, row.state));
  call.out().say(fmt::format("next: stella chaos report --run {}", id));
  call.out().result(result_of(injection, row));
  return 0;
}

}  // namespace

std::vector<Command> chaos_commands() {
  return {{{"chaos", "inject"},
           "pause a run, cut its network or delay its approvals, to see what happens",
           "stella chaos inject --run run:plant-7:20261123T165433120Z --hook drop-network --for 30s",
           {kRunArgument},
           {kRunOption,
            {"--hook", "HOOK", "pause, drop-network or delay-approvals", true, false, false},
            {"--for", "DURATION", "how long, 1s to 1h (default 30s)", false, false, false},
            {"--step", "STEP", "only this step and what stands in it; a pause comes before it", false, false, false}},
           inject_hook},
          chaos_report_command()};
}

}  // namespace stella::cli
