// SPDX-License-Identifier: Apache-2.0
#include "appliance/chaos/measure.hpp"

#include <algorithm>

namespace stella::chaos {
namespace {

constexpr clock::Duration kInstant{1};  // the last event still counts

// Where a stretch, or a moment (from and to the same), belongs.
std::optional<Part> part_of(const Parts& parts, clock::Time from, clock::Time to) {
  if (to < parts.before.from || from >= parts.after.to) return std::nullopt;
  if (to < parts.during.from) return Part::before;
  if (from < parts.during.to || (from == parts.during.from && parts.during.from == parts.during.to))
    return Part::during;
  return to < parts.after.to ? std::optional(Part::after) : std::nullopt;
}

// A pause that took hold lasts until the run went on; nothing lasts longer than what there is to look at.
clock::Time end_of(const Trace& trace, const Injection& injection) {
  const clock::Time end = trace.last() + kInstant;
  if (injection.hook != Hook::pause || !injection.is_spent) return std::min(injection.until, end);
  const clock::Time resumed = trace.resumed_after(injection);
  return resumed == clock::Time{} ? end : resumed;
}

Window window_of(const Parts& parts, Part part) {
  return part == Part::before ? parts.before : part == Part::during ? parts.during : parts.after;
}

template <class Belongs>
Measures collect(const Trace& trace, const Belongs& belongs) {
  Measures found;
  for (const Stretch& step : trace.steps()) {
    if (!belongs(step.from, step.to, step.id)) continue;
    found.lengths[step.type].push_back(step.length());
    found.steps.insert(step.id);
    ++found.ended;
    found.failures += step.has_failed ? 1 : 0;
  }
  for (const Stretch& gate : trace.gates()) {
    if (belongs(gate.from, gate.to, {})) found.gate_waits.push_back(gate.length());
  }
  const auto sum = [&](const std::vector<Tick>& ticks) {
    std::int64_t all = 0;
    for (const Tick& tick : ticks) all += belongs(tick.at, tick.at, {}) ? tick.amount : 0;
    return all;
  };
  found.retries = sum(trace.retries());
  found.blocked = sum(trace.blocked());
  found.log_bytes = sum(trace.logged());
  return found;
}

}  // namespace

Spread spread_of(std::vector<clock::Duration> lengths) {
  if (lengths.empty()) return {};
  std::sort(lengths.begin(), lengths.end());
  return {.count = lengths.size(), .median = lengths[(lengths.size() - 1) / 2], .greatest = lengths.back()};
}

Parts parts_around(const Trace& trace, const Injection& injection) {
  const clock::Time end = trace.last() + kInstant;
  clock::Time over = end_of(trace, injection), next = end;
  for (const Injection& other : trace.injections()) {  // in the order of time
    if (other.seq <= injection.seq) continue;
    if (other.at > over) {
      next = std::min(next, other.at);
      break;
    }
    over = std::max(over, end_of(trace, other));
  }
  over = std::min(over, next);
  return {.before = {trace.first(), injection.at}, .during = {injection.at, over}, .after = {over, next}};
}

Measures measure(const Trace& trace, const Parts& parts, Part part) {
  Measures found = collect(
      trace, [&](clock::Time from, clock::Time to, const std::string&) { return part_of(parts, from, to) == part; });
  found.length = window_of(parts, part).length();
  return found;
}

Measures measure_all(const Trace& trace, const std::set<std::string>& only) {
  Measures found = collect(trace, [&](clock::Time, clock::Time, const std::string& id) {
    return id.empty() || only.empty() || only.contains(id);
  });
  found.length = trace.last() - trace.first();
  return found;
}

void add(Measures& sum, const Measures& more) {
  for (const auto& [type, lengths] : more.lengths)
    sum.lengths[type].insert(sum.lengths[type].end(), lengths.begin(), lengths.end());
  sum.gate_waits.insert(sum.gate_waits.end(), more.gate_waits.begin(), more.gate_waits.end());
  sum.steps.insert(more.steps.begin(), more.steps.end());
  sum.ended += more.ended;
  sum.failures += more.failures;
  sum.retries += more.retries;
  sum.blocked += more.blocked;
  sum.log_bytes += more.log_bytes;
  sum.length += more.length;
}

}  // namespace stella::chaos
