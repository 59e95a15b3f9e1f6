// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/reviewed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/approval/request.hpp"
#include "bundles/files/read.hpp"

namespace stella::run {
namespace {

// From the signed request itself: the gate was cleared under it before the step could start.
std::vector<approval::ReviewedSecret> reviewed(const Record& record, const plan::Gate& gate, clock::Time now) {
  const gate::Tally tally = gate::tally(subject_of(record), gate, now);
  if (tally.request_path.empty() || !record.current) return {};
  const files::InputRule rule{.max_bytes = approval::kMaxRequestBytes, .links = files::Links::refuse};
  auto parcel = approval::read_parcel(files::read_input(tally.request_path, rule), tally.request_path);
  return approval::verify_request(std::move(parcel), record.current->policy).asked.secrets;
}

}  // namespace

void require_reviewed_version(const Record& record, const std::string& step, const lease::Leased& leased,
                              clock::Time now) {
  const std::vector<std::string> before = needs_of(record.steps(), step);
  for (const plan::Step* found : record.steps()) {
    const plan::Step& one = *found;
    if (one.kind != plan::Kind::gate_approval || std::find(before.begin(), before.end(), one.id) == before.end())
      continue;
    if (record.progress.step(one.id).state == StepState::skipped) continue;
    for (const approval::ReviewedSecret& seen : reviewed(record, one.gate, now)) {
      if (seen.name != leased.name || seen.scope != leased.scope || !seen.version || *seen.version == leased.version)
        continue;
      throw fault::Error(
          fault::Code::vault_denied, "version",
          fmt::format("secret {} is now version {}, the approvers of gate {} reviewed version {}", leased.name,
                      leased.version, one.gate.id, *seen.version),
          step,
          fmt::format("Ask again: `stella pack approve --run {} --gate {} --offline-request --extend 24h`.",
                      record.row.id, one.gate.id));
    }
  }
}

}  // namespace stella::run
