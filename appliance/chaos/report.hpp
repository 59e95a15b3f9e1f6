// SPDX-License-Identifier: Apache-2.0
// Whether a run is back to its baseline after each hook: against its own part before the first hook, and against
// earlier runs of the same pack that succeeded. Pure but for history_of(); one thread.
//
// Rules (kRules says them to people): a length (median of tries or waits) is back when it is at most 1.5 times the
// baseline's median and 100 ms more; a count for each step that ended when it is not above the baseline's; bytes of log
// a second when they are at least half the baseline's. Fewer than three values on either side of a length, or three
// ended steps on either side of anything else, are too few to tell: then the word is `unknown` and says why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "appliance/chaos/measure.hpp"

namespace stella::chaos {

inline constexpr std::size_t kFewest = 3;        // values, or ended steps, below which nothing is said
inline constexpr std::size_t kMostHistory = 10;  // runs to compare with
extern const std::vector<std::string_view> kRules;

enum class Verdict { back, not_back, unknown };
[[nodiscard]] std::string_view name_of(Verdict verdict);

struct Comparison {
  std::string metric, type;  // stepDuration (type: of steps), gateWait, retries, failures, blocked, logThroughput
  std::optional<double> baseline, after;  // ms; a count for each ended step; bytes a second
  Verdict verdict = Verdict::unknown;
  std::string why;  // of unknown
};

// In the order: each type of step, gateWait, retries, failures, blocked, logThroughput.
[[nodiscard]] std::vector<Comparison> compare(const Measures& baseline, const Measures& after);
// not_back where any is; back where some are and none is not; else unknown.
[[nodiscard]] Verdict overall(const std::vector<Comparison>& all);

struct Finding {
  Injection injection;
  Parts parts;
  Measures before, during, after;
  bool is_over = true;  // false: the hook is in force, or the run is paused by it
  std::vector<Comparison> own, history;
  Verdict verdict = Verdict::unknown;  // of both
};

// `past`: earlier runs, whole. `now`: what is not over yet is said to be so.
[[nodiscard]] std::vector<Finding> findings_of(const Trace& trace, const std::vector<Trace>& past, clock::Time now);

// The newest runs of the same tenant, pack and version that succeeded and had no hook, other than `row`.
[[nodiscard]] std::vector<Trace> history_of(const journal::Journal& journal, const journal::RunRow& row,
                                            std::size_t most);
[[nodiscard]] Trace trace_of(const journal::Journal& journal, const std::string& run);

}  // namespace stella::chaos
