// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bundles/approval/roster.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::run {
namespace {

using canon::Json;

std::vector<std::string> candidates(const site::Policy& policy, const journal::RunRow& row, const Json& summary,
                                    const Json& gate) {
  auto requesters = canon::all_shown_in(summary, "requesters");
  requesters.push_back(row.requested_by);
  return approval::may_still_answer(policy, row.tenant, canon::all_shown_in(gate, "approvers"), requesters);
}

std::string next_at_gate(const std::string& run, const Json& gate) {
  const std::string id = canon::shown_in(gate, "gate");
  const bool is_held =
      !canon::shown_in(gate, "delayedUntil").empty();  // by a chaos hook: a runner may wait for its end
  if (canon::shown_in(gate, "state") == "open")
    return fmt::format("stella pack runs resume --run {}{}", run, is_held ? " --wait" : "");
  if (canon::shown_in(gate, "request").empty())
    return fmt::format("stella pack approve --run {} --gate '{}' --offline-request", run, id);
  return "stella pack approve --offline-response FILE";
}

}  // namespace

bool is_undecided(const Json& gate) {
  const std::string state = canon::shown_in(gate, "state");
  return state == "waiting" || state == "no-request" || state == "withdrawn";
}

void add_candidates(Json& summary, const site::Policy& policy, const journal::RunRow& row) {
  for (Json& gate : summary["gates"]) {
    if (is_undecided(gate)) gate["mayDecide"] = candidates(policy, row, summary, gate);
  }
}

std::string next_of(const Json& summary) {
  const std::string run = canon::shown_in(summary, "runId"), state = canon::shown_in(summary, "state");
  std::string resume = fmt::format("stella pack runs resume --run {}", run);
  const auto runner = summary.find("runner");
  const bool is_alone = runner != summary.end() && runner->is_null();  // it was interrupted
  if (state == "running" && !is_alone) return fmt::format("stella pack runs logs {} --follow", run);
  if (state == "succeeded") {
    const bool to_export =
        !canon::shown_in(summary, "evidence").empty() && canon::shown_in(summary, "exported") != "true";
    return to_export ? fmt::format("stella pack runs export --run {} --media DIR", run) : "";
  }
  if (state == "waiting") {
    for (const Json& gate : summary.at("gates")) {
      if (is_undecided(gate) || canon::shown_in(gate, "state") == "open") return next_at_gate(run, gate);
    }
  }
  if (state == "paused" && canon::shown_in(summary, "reason") == "unknown") {
    for (const Json& step : summary.at("steps")) {
      if (canon::shown_in(step, "state") == "unknown")
        return fmt::format("{} --rerun '{}'   (or --fail)", resume, canon::shown_in(step, "step"));
    }
  }
  return resume;
}

}  // namespace stella::run
