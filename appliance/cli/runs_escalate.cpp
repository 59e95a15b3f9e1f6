// SPDX-License-Identifier: Apache-2.0
// pack runs escalate: what whoever is called about a run needs, printed or as a folder to hand over.
#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/deliver.hpp"
#include "appliance/cli/doctor.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/run_report.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/escalation/bundle.hpp"
#include "appliance/escalation/report.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/summary.hpp"
#include "appliance/service/order.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::cli {
namespace {

// A run whose plan or policy cannot be read is just one that is escalated: then its row has to do.
canon::Json readable_summary(Invocation& call, const journal::Journal& journal, const journal::RunRow& row) {
  try {
    return summary_of(call, journal, row);
  } catch (const fault::Error& error) {
    canon::Json summary = run::short_json(row);
    summary["problems"] = {fmt::format("{}: {}", fault::info(error.code()).name, error.what())};
    return summary;
  }
}

// A plain folder of one's own; on an operator's side it is their command line that writes it.
std::string hand_over(const std::string& out, const escalation::Bundle& bundle) {
  if (service::person_socket() < 0) return escalation::write_bundle(out, bundle);
  std::vector<media::File> list;
  for (const auto& [name, text] : bundle.files) list.push_back({name, canon::sha256(text), text.size()});
  const media::Source source = [&](const media::File& file, const std::function<void(std::string_view)>& take) {
    for (const auto& [name, text] : bundle.files)
      if (name == file.path) take(text);
  };
  return deliver({.path = out, .below = bundle.name}, list, source, {}).copied.folder;
}

int escalate(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const journal::RunRow row = journal.need(id);
  canon::Json report = escalation::report(call.home(), journal, row, readable_summary(call, journal, row));
  for (const std::string& line : escalation::lines_of(report)) call.out().say(line);
  if (const auto out = call.value("--out")) {
    const canon::Json doctor = doctor_report(call);
    const std::string folder = hand_over(*out, escalation::bundle_of({.journal = journal,
                                                                      .row = row,
                                                                      .report = report,
                                                                      .doctor = doctor,
                                                                      .version = STELLA_VERSION,
                                                                      .now = call.clock().now()}));
    call.out().say(fmt::format("wrote {}: hand it over as it is, `sha256sum -c SHA256SUMS` checks it", folder));
    report["folder"] = folder;
  }
  call.out().result(report);
  return 0;
}

}  // namespace

Command runs_escalate_command() {
  return {{"pack", "runs", "escalate"},
          "what to tell whom about a run; --out makes a folder without secrets to hand over",
          "stella pack runs escalate run:plant-7:20261123T165433120Z --out /media/stick",
          {kRunArgument},
          {kRunOption, {"--out", "DIR", "where the folder is made; left out: only print", false, false, false}},
          escalate};
}

}  // namespace stella::cli
