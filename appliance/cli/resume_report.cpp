// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/resume_report.hpp"

#include <fmt/format.h>

namespace stella::cli {
namespace {

constexpr std::size_t kMostRows = 30;  // of a resume that was not asked for all

void say_left(Output& out, const run::Prospect::Left& left) {
  out.say(out.strong(fmt::format("step {} was in flight when its runner ended", left.step)));
  out.say(left.printed.empty() ? "  it had printed nothing" : "  the end of what it had printed:");
  for (const std::string& line : left.printed) out.say("    | " + line);
  if (left.withheld > 0)
    out.say(fmt::format("  files it changed: {} (not named: the step had secrets)", left.withheld));
  else
    out.say(left.changed.empty() ? "  it had changed no file" : "  files that changed since it began:");
  for (const std::string& path : left.changed) out.say("    " + path);
}

}  // namespace

canon::Json prospect_json(const run::Prospect& prospect) {
  canon::Json steps = canon::Json::array(), in_flight = canon::Json::array();
  for (const auto& row : prospect.steps) steps.push_back({{"step", row.step}, {"what", row.what}, {"why", row.why}});
  for (const auto& left : prospect.in_flight)
    in_flight.push_back(
        {{"step", left.step}, {"printed", left.printed}, {"changed", left.changed}, {"withheld", left.withheld}});
  return {{"newAttempt", prospect.new_attempt},
          {"newPlan", prospect.new_plan},
          {"steps", std::move(steps)},
          {"inFlight", std::move(in_flight)}};
}

void say_prospect(Output& out, const run::Record& record, const run::Prospect& prospect, Rows wanted) {
  std::vector<std::vector<std::string>> rows;
  std::size_t left_out = 0;
  for (const auto& row : prospect.steps) {
    if (wanted == Rows::told && (row.what == "next" || rows.size() >= kMostRows))
      left_out += row.what == "next" ? 0 : 1;
    else
      rows.push_back({row.step, row.what, row.why});
  }
  if (!rows.empty()) out.table({"STEP", "WHAT", "WHY"}, rows);
  if (left_out > 0)
    out.say(fmt::format("… and {} more: stella pack runs resume {} --dry-run", left_out, record.row.id));
  for (const auto& left : prospect.in_flight) say_left(out, left);
}

}  // namespace stella::cli
