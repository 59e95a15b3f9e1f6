// SPDX-License-Identifier: Apache-2.0
// pack runs trace, traces export: runs as spans in OTLP JSON lines, for a collector on the other side of the gap.
#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/log_query.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/trace/folder.hpp"
#include "appliance/trace/tracer.hpp"
#include "bundles/files/write.hpp"

namespace stella::cli {
namespace {

int trace_run(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  if (const auto out = call.value("--out")) {
    const auto lines = trace::write_trace_file(journal, row, *out);
    call.out().say(fmt::format("trace {} in {}", trace::trace_id_of(id), *out));
    call.out().result({{"runId", id}, {"traceId", trace::trace_id_of(id)}, {"file", *out}, {"lines", lines}});
    return 0;
  }
  // The lines are JSON already: the same whatever --output says.
  trace::write_trace(journal, row, [&](std::string_view line) { call.out().raw(line); });
  return 0;
}

int export_traces(Invocation& call) {
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const std::string folder = call.need("--out");
  files::make_folders(folder, 0755);
  const trace::Exported done = trace::export_ended(journal, folder, since_of(call));
  call.out().say(fmt::format("{} traces written to {}, {} were there", done.written, folder, done.there));
  call.out().result({{"folder", folder}, {"written", done.written}, {"there", done.there}});
  return 0;
}

}  // namespace

Command runs_trace_command() {
  return {{"pack", "runs", "trace"},
          "a run as spans: OTLP JSON lines",
          "stella pack runs trace run:plant-7:20261123T165433120Z --out trace.jsonl",
          {kRunArgument},
          {kRunOption, {"--out", "FILE", "write them there instead of standard output", false, false, false}},
          trace_run};
}

std::vector<Command> traces_commands() {
  return {{{"traces", "export"},
           "the traces of runs that have ended, a file for each attempt",
           "stella traces export --out /media/stick/traces --since 7d",
           {},
           {{"--out", "DIR", "the folder; files that are there already stay as they are", true, false, false},
            {"--since", "TIME", "only runs that changed then and later: an RFC 3339 time, or how long ago", false,
             false, false}},
           export_traces}};
}

}  // namespace stella::cli
