// SPDX-License-Identifier: Apache-2.0
#include "appliance/chaos/trace.hpp"

#include <algorithm>

#include "bundles/canon/members.hpp"

namespace stella::chaos {
namespace {

using canon::Json;

std::string type_of(const Json& data) {
  const std::string kind = canon::text_in(data, "kind");
  return kind.empty() ? "run" : kind;
}

}  // namespace

void Trace::take(const journal::Event& event) {
  if (first_ == clock::Time{}) first_ = event.at;
  last_ = event.at;
  if (event.type.starts_with("pack.step.")) take_step(event);
  if (event.type.starts_with("pack.gate.")) take_gate(event);
  if (event.type.starts_with("pack.run.")) take_run(event);
  if (event.type == "pack.network.blocked") blocked_.push_back({event.at, canon::integer_in(event.data, "count")});
  if (event.type == kEvent) injections_.push_back(parse_injection(event.data, event.seq, event.at, event.run));
}

void Trace::take_step(const journal::Event& event) {
  if (event.type == "pack.step.retried") retries_.push_back({event.at});
  if (event.type == "pack.step.output") logged_.push_back({event.at, canon::integer_in(event.data, "bytes")});
  if (event.type == "pack.step.started")
    open_[event.step] = {.id = event.step, .type = type_of(event.data), .from = event.at, .to = {}};
  if (event.type != "pack.step.finished") return;
  const auto started = open_.find(event.step);
  if (started == open_.end()) return;  // a gate, or the second word about one end
  Stretch step = started->second;
  open_.erase(started);
  const std::string state = canon::text_in(event.data, "state");
  if (state != "succeeded" && state != "failed" && state != "continued") return;  // taken back, or nobody knows
  step.to = event.at;
  step.has_failed = state != "succeeded";
  steps_.push_back(std::move(step));
}

void Trace::take_gate(const journal::Event& event) {
  if (event.type == "pack.gate.waiting") {
    waiting_.try_emplace(event.step, Stretch{.id = event.step, .type = "gate", .from = event.at, .to = {}});
    return;
  }
  const auto found = waiting_.find(event.step);
  if (found == waiting_.end()) return;
  found->second.to = event.at;
  found->second.has_failed = event.type != "pack.gate.approved";
  gates_.push_back(found->second);
  waiting_.erase(found);
}

void Trace::take_run(const journal::Event& event) {
  if (event.type == "pack.run.paused" && canon::text_in(event.data, "code") == "ERR_PACK_CHAOS_PAUSED") {
    for (Injection& one : injections_) {
      if (one.hook == Hook::pause && (one.step.empty() || one.step == canon::text_in(event.data, "step")))
        one.is_spent = true;
    }
    return;
  }
  if (event.type == "pack.run.paused") return;
  for (const Injection& one : injections_) {
    if (one.is_spent) resumed_.try_emplace(one.seq, event.at);
  }
}

clock::Time Trace::resumed_after(const Injection& pause) const {
  const auto found = resumed_.find(pause.seq);
  return found == resumed_.end() ? clock::Time{} : found->second;
}

}  // namespace stella::chaos
