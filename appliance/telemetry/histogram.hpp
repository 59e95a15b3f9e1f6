// SPDX-License-Identifier: Apache-2.0
// Counts of durations by size. Sums are whole milliseconds, so that the order of adding changes nothing. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::telemetry {

[[nodiscard]] std::span<const std::int64_t> step_bounds() noexcept;  // milliseconds, rising
[[nodiscard]] std::span<const std::int64_t> gate_bounds() noexcept;  // 30 minutes, the alert's limit, is one of them

class Histogram {
 public:
  explicit Histogram(std::span<const std::int64_t> bounds_ms);  // the bounds outlive it
  void observe(std::int64_t milliseconds);                      // below zero counts as zero
  void add(const Histogram& other);                             // of the same bounds
  [[nodiscard]] std::span<const std::int64_t> bounds() const noexcept { return bounds_; }
  [[nodiscard]] std::int64_t at_most(std::size_t bound) const;  // cumulative, as `le` wants it
  [[nodiscard]] std::int64_t count() const;
  [[nodiscard]] std::int64_t sum_ms() const noexcept { return sum_ms_; }
  bool operator==(const Histogram& other) const { return counts_ == other.counts_ && sum_ms_ == other.sum_ms_; }

  // {"counts":[one for each bound, then those above],"sumMs":n}; from_json throws ERR_JOURNAL_TAMPERED reason `totals`.
  [[nodiscard]] canon::Json to_json() const;
  static Histogram from_json(const canon::Json& object, std::span<const std::int64_t> bounds_ms);

 private:
  std::span<const std::int64_t> bounds_;
  std::vector<std::int64_t> counts_;
  std::int64_t sum_ms_ = 0;
};

}  // namespace stella::telemetry
