// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/reading.hpp"

#include <algorithm>

namespace stella::telemetry {
namespace {

using canon::Json;

constexpr std::array<std::string_view, 8> kTypes = {"run", "gate.approval", "gate.policy", "parallel",
                                                    "map", "loop",          "conditional", "other"};

// Members may be missing in lines of older journals.
std::string text(const Json& data, const char* name) {
  const auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::optional<std::int64_t> number(const Json& data, const char* name) {
  const auto found = data.find(name);
  if (found == data.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

void begin_attempt(Reading& reading, int attempt) {
  reading.attempt = attempt;
  reading.steps.clear();
  reading.waiting.clear();
  reading.ended = {};
}

void start_step(Reading& reading, const journal::Event& event) {
  const std::string kind = text(event.data, "kind");
  const std::string type = kind.empty() ? "run" : is_step_type(kind) ? kind : std::string(kOther);
  reading.steps.insert_or_assign(event.step, Reading::Open{event.at, type});
}

// Only what ran from start to end is measured: not a step whose runner died, one that never ran, or a gate's own step.
void finish_step(Reading& reading, const journal::Event& event, Totals& totals) {
  const auto open = reading.steps.find(event.step);
  if (open == reading.steps.end()) return;
  const std::string state = text(event.data, "state");
  if (state != "unknown" && state != "pending")
    totals.step(open->second.type)
        .observe(number(event.data, "elapsedMs").value_or((event.at - open->second.since).count()));
  reading.steps.erase(open);
}

void decide_gate(Reading& reading, const journal::Event& event, Totals& totals) {
  const auto waiting = reading.waiting.find(text(event.data, "gate"));
  if (waiting == reading.waiting.end()) return;
  totals.gate(gate_name(waiting->first), waiting->second).waited.observe((event.at - waiting->second).count());
  reading.waiting.erase(waiting);
}

void end_run(Reading& reading, const journal::Event& event, std::size_t end, Totals& totals) {
  ++totals.tenant(reading.tenant, event.at).ended[end];
  reading.ended = event.at;
  reading.steps.clear();
  reading.waiting.clear();
}

void take_run_event(Reading& reading, const journal::Event& event, Totals& totals) {
  const std::string_view word = std::string_view(event.type).substr(std::string_view("pack.run.").size());
  const auto* end = std::find(kEnds.begin(), kEnds.end(), word);
  if (end != kEnds.end()) end_run(reading, event, static_cast<std::size_t>(end - kEnds.begin()), totals);
}

}  // namespace

bool is_step_type(const std::string& name) {
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

std::string gate_name(const std::string& id) {
  const auto turn = id.rfind("::");
  return turn == std::string::npos ? id : id.substr(turn + 2);
}

void take(Reading& reading, const journal::Event& event, Totals& totals) {
  reading.last_seq = event.seq;
  if (event.attempt > reading.attempt) begin_attempt(reading, event.attempt);
  Counts& counts = totals.tenant(reading.tenant, event.at);
  if (event.type.starts_with("pack.run.")) return take_run_event(reading, event, totals);
  if (event.type == "pack.step.started") return start_step(reading, event);
  if (event.type == "pack.step.finished") return finish_step(reading, event, totals);
  if (event.type == "pack.step.retried") ++counts.retries;
  if (event.type == "pack.gate.waiting") reading.waiting.emplace(text(event.data, "gate"), event.at);
  if (event.type == "pack.gate.approved" || event.type == "pack.gate.rejected" || event.type == "pack.gate.expired")
    return decide_gate(reading, event, totals);
  if (event.type == "pack.network.blocked")
    counts.blocked += std::clamp<std::int64_t>(number(event.data, "count").value_or(1), 1, 1000000);
  if (event.type == "pack.chaos.injected") ++counts.chaos;
  reading.bags.take(event);
}

}  // namespace stella::telemetry
