// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "appliance/chaos/report.hpp"

namespace stella::chaos {
namespace {

constexpr double kTimesLonger = 1.5, kMoreMs = 100, kPartOfThroughput = 0.5;

Comparison compare_lengths(const std::string& metric, const std::string& type,
                           const std::vector<clock::Duration>& baseline, const std::vector<clock::Duration>& after) {
  Comparison made{.metric = metric, .type = type, .baseline = {}, .after = {}, .why = {}};
  const Spread was = spread_of(baseline), is = spread_of(after);
  if (was.count > 0) made.baseline = static_cast<double>(was.median.count());
  if (is.count > 0) made.after = static_cast<double>(is.median.count());
  if (was.count < kFewest || is.count < kFewest) {
    made.why = fmt::format("{} in the baseline and {} after, {} are needed", was.count, is.count, kFewest);
    return made;
  }
  made.verdict = *made.after <= kTimesLonger * *made.baseline + kMoreMs ? Verdict::back : Verdict::not_back;
  return made;
}

double per_step(std::int64_t amount, const Measures& measures) {
  return static_cast<double>(amount) / static_cast<double>(measures.ended);
}
double per_second(const Measures& measures) {
  return static_cast<double>(measures.log_bytes) * 1000 / static_cast<double>(measures.length.count());
}

// Something that is counted; what to make of it is the caller's.
Comparison compare_rates(const std::string& metric, const Measures& baseline, const Measures& after, double was,
                         double is, bool is_back) {
  Comparison made{.metric = metric, .type = {}, .baseline = {}, .after = {}, .why = {}};
  const auto fewest = static_cast<std::int64_t>(kFewest);
  if (baseline.ended > 0) made.baseline = was;
  if (after.ended > 0) made.after = is;
  if (baseline.ended < fewest || after.ended < fewest)
    made.why =
        fmt::format("{} steps ended in the baseline and {} after, {} are needed", baseline.ended, after.ended, kFewest);
  else
    made.verdict = is_back ? Verdict::back : Verdict::not_back;
  return made;
}

Comparison compare_counts(const std::string& metric, const Measures& baseline, const Measures& after,
                          std::int64_t Measures::*count) {
  const double was = baseline.ended > 0 ? per_step(baseline.*count, baseline) : 0;
  const double is = after.ended > 0 ? per_step(after.*count, after) : 0;
  return compare_rates(metric, baseline, after, was, is, is <= was);
}

Comparison compare_logs(const Measures& baseline, const Measures& after) {
  const double was = baseline.length.count() > 0 ? per_second(baseline) : 0;
  const double is = after.length.count() > 0 ? per_second(after) : 0;
  return compare_rates("logThroughput", baseline, after, was, is, is >= kPartOfThroughput * was);
}

}  // namespace

const std::vector<std::string_view> kRules = {
    "stepDuration, gateWait: back when the median after is at most 1.5 x the baseline's median + 100 ms",
    "retries, failures, blocked: back when there are no more for each ended step than in the baseline",
    "logThroughput: back when it is at least half the baseline's bytes a second",
    "unknown: fewer than 3 values (lengths) or 3 ended steps (the others) on either side"};

std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::back ? "back" : verdict == Verdict::not_back ? "not-back" : "unknown";
}

std::vector<Comparison> compare(const Measures& baseline, const Measures& after) {
  std::vector<Comparison> made;
  std::set<std::string> types;
  for (const Measures* one : {&baseline, &after}) {
    for (const auto& [type, lengths] : one->lengths) types.insert(type);
  }
  const auto lengths = [](const Measures& from, const std::string& type) {
    const auto found = from.lengths.find(type);
    return found == from.lengths.end() ? std::vector<clock::Duration>{} : found->second;
  };
  for (const std::string& type : types)
    made.push_back(compare_lengths("stepDuration", type, lengths(baseline, type), lengths(after, type)));
  made.push_back(compare_lengths("gateWait", "", baseline.gate_waits, after.gate_waits));
  made.push_back(compare_counts("retries", baseline, after, &Measures::retries));
  made.push_back(compare_counts("failures", baseline, after, &Measures::failures));
  made.push_back(compare_counts("blocked", baseline, after, &Measures::blocked));
  made.push_back(compare_logs(baseline, after));
  return made;
}

Verdict overall(const std::vector<Comparison>& all) {
  const auto any = [&](Verdict wanted) {
    return std::any_of(all.begin(), all.end(), [&](const Comparison& one) { return one.verdict == wanted; });
  };
  if (any(Verdict::not_back)) return Verdict::not_back;
  return any(Verdict::back) ? Verdict::back : Verdict::unknown;
}

}  // namespace stella::chaos
