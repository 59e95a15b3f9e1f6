// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bundles/approval/roster.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::run {
namespace {

using canon::Json;

std::string text_of(const Json& data, const char* name) {
  const auto found = data.find(name);
  if (found == data.end() || found->is_null()) return {};
  return canon::printable(found->is_string() ? found->get<std::string>() : canon::canonical(*found), 300);
}
std::vector<std::string> texts_of(const Json& data, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = data.find(name); found != data.end() && found->is_array()) {
    for (const Json& one : *found) texts.push_back(canon::printable(one.get<std::string>(), 120));
  }
  return texts;
}

std::vector<std::string> candidates(const site::Policy& policy, const journal::RunRow& row, const Json& summary,
                                    const Json& gate) {
  auto requesters = texts_of(summary, "requesters");
  requesters.push_back(row.requested_by);
  return approval::may_still_answer(policy, row.tenant, texts_of(gate, "approvers"), requesters);
}

std::string next_at_gate(const std::string& run, const Json& gate) {
  const std::string id = text_of(gate, "gate");
  const bool is_held = !text_of(gate, "delayedUntil").empty();  // by a chaos hook: a runner may wait for its end
  if (text_of(gate, "state") == "open")
    return fmt::format("stella pack runs resume --run {}{}", run, is_held ? " --wait" : "");
  if (text_of(gate, "request").empty())
    return fmt::format("stella pack approve --run {} --gate '{}' --offline-request", run, id);
  return "stella pack approve --offline-response FILE";
}

}  // namespace

bool is_undecided(const Json& gate) {
  const std::string state = text_of(gate, "state");
  return state == "waiting" || state == "no-request" || state == "withdrawn";
}

void add_candidates(Json& summary, const site::Policy& policy, const journal::RunRow& row) {
  for (Json& gate : summary["gates"]) {
    if (is_undecided(gate)) gate["mayDecide"] = candidates(policy, row, summary, gate);
  }
}

std::string next_of(const Json& summary) {
  const std::string run = text_of(summary, "runId"), state = text_of(summary, "state");
  const std::string resume = fmt::format("stella pack runs resume --run {}", run);
  const auto runner = summary.find("runner");
  const bool is_alone = runner != summary.end() && runner->is_null();  // it was interrupted
  if (state == "running" && !is_alone) return fmt::format("stella pack runs logs {} --follow", run);
  if (state == "succeeded") {
    const bool to_export = !text_of(summary, "evidence").empty() && text_of(summary, "exported") != "true";
    return to_export ? fmt::format("stella pack runs export --run {} --media DIR", run) : "";
  }
  if (state == "waiting") {
    for (const Json& gate : summary.at("gates")) {
      if (is_undecided(gate) || text_of(gate, "state") == "open") return next_at_gate(run, gate);
    }
  }
  if (state == "paused" && text_of(summary, "reason") == "unknown") {
    for (const Json& step : summary.at("steps")) {
      if (text_of(step, "state") == "unknown")
        return fmt::format("{} --rerun '{}'   (or --fail)", resume, text_of(step, "step"));
    }
  }
  return resume;
}

}  // namespace stella::run
