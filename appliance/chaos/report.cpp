// SPDX-License-Identifier: Apache-2.0
#include "appliance/chaos/report.hpp"

#include <algorithm>

namespace stella::chaos {
namespace {

// The run's own baseline is what came before its first hook: later parts may still suffer from an earlier one.
Measures own_baseline(const Trace& trace) {
  const Injection& first = trace.injections().front();
  return measure(trace, parts_around(trace, first), Part::before);
}

Verdict worse(Verdict own, Verdict history) {
  if (own == Verdict::not_back || history == Verdict::not_back) return Verdict::not_back;
  return own == Verdict::back || history == Verdict::back ? Verdict::back : Verdict::unknown;
}

bool is_in_force(const Trace& trace, const Injection& one, clock::Time now) {
  if (one.hook == Hook::pause && one.is_spent) return trace.resumed_after(one) == clock::Time{};
  return is_active(one, now);
}

Finding finding_of(const Trace& trace, const std::vector<Trace>& past, const Injection& one, clock::Time now) {
  Finding found{.injection = one,
                .parts = parts_around(trace, one),
                .before = {},
                .during = {},
                .after = {},
                .own = {},
                .history = {}};
  found.before = measure(trace, found.parts, Part::before);
  found.during = measure(trace, found.parts, Part::during);
  found.after = measure(trace, found.parts, Part::after);
  found.is_over = !is_in_force(trace, one, now);
  found.own = compare(own_baseline(trace), found.after);
  Measures earlier;
  for (const Trace& run : past) add(earlier, measure_all(run, found.after.steps));
  found.history = compare(earlier, found.after);
  if (found.is_over) found.verdict = worse(overall(found.own), overall(found.history));
  return found;
}

}  // namespace

std::vector<Finding> findings_of(const Trace& trace, const std::vector<Trace>& past, clock::Time now) {
  std::vector<Finding> all;
  for (const Injection& one : trace.injections()) all.push_back(finding_of(trace, past, one, now));
  return all;
}

Trace trace_of(const journal::Journal& journal, const std::string& run) {
  Trace trace;
  journal.for_each_event(run, 0, [&](const journal::Event& event) { trace.take(event); });
  return trace;
}

std::vector<Trace> history_of(const journal::Journal& journal, const journal::RunRow& row, std::size_t most) {
  std::vector<Trace> found;
  const auto rows =
      journal.list({.tenant = row.tenant, .state = "succeeded", .pack = row.pack, .limit = 10 * most + 1});
  for (const journal::RunRow& one : rows) {
    if (found.size() == most) break;
    if (one.id == row.id || one.version != row.version) continue;
    Trace trace = trace_of(journal, one.id);
    if (trace.injections().empty()) found.push_back(std::move(trace));
  }
  return found;
}

}  // namespace stella::chaos
