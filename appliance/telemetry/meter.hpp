// SPDX-License-Identifier: Apache-2.0
// Follows the journal of a home and keeps what the metrics about runs need: a first full pass, then only what is new.
// What it holds at any time is what a new Meter would compute from the journal at that time. One thread, the journal's.
//
// Memory: about 200 bytes for each run in the journal, and what is open in those that have not ended.
#pragma once

#include <unordered_map>
#include <vector>

#include "appliance/telemetry/exposition.hpp"
#include "appliance/telemetry/reading.hpp"

namespace stella::telemetry {

inline constexpr std::size_t kMaxSeries = 100;  // gates, and tenants, that have a series of their own; then `other`
inline constexpr auto kRatioWindow = std::chrono::hours(24 * 7);

class Meter {
 public:
  // Outlives it. What this very Journal writes is not noticed: others write.
  explicit Meter(const journal::Journal& journal) : journal_(&journal) {}
  // Reads what the journal has more than last time. A commit that comes while it reads may be left for the next call.
  void catch_up();
  [[nodiscard]] std::vector<Family> families(clock::Time now) const;
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
  [[nodiscard]] std::size_t runs() const noexcept { return readings_.size(); }

 private:
  enum class Removals { taken, unclear };
  void reset();
  void follow();
  Removals take_removals();

  const journal::Journal* journal_;
  std::unordered_map<std::string, Reading> readings_;
  Totals totals_;
  std::int64_t revision_ = 0, removal_ = 0, version_ = -1;
};

}  // namespace stella::telemetry
