// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/histogram.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "bundles/canon/fields.hpp"

namespace stella::telemetry {
namespace {

constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::array kStepBounds = {
    std::int64_t{10}, std::int64_t{50}, std::int64_t{250}, kSecond, 5 * kSecond, 15 * kSecond,
    kMinute,          5 * kMinute,      15 * kMinute,      kHour,   4 * kHour,   kDay};
constexpr std::array kGateBounds = {kMinute,   5 * kMinute, 15 * kMinute, 30 * kMinute, kHour,
                                    4 * kHour, 12 * kHour,  kDay,         3 * kDay,     7 * kDay};
constexpr std::int64_t kMax = std::int64_t{1} << 53;

}  // namespace

std::span<const std::int64_t> step_bounds() noexcept {
  return kStepBounds;
}
std::span<const std::int64_t> gate_bounds() noexcept {
  return kGateBounds;
}

Histogram::Histogram(std::span<const std::int64_t> bounds_ms) : bounds_(bounds_ms), counts_(bounds_ms.size() + 1) {}

void Histogram::observe(std::int64_t milliseconds) {
  const std::int64_t value = std::max<std::int64_t>(milliseconds, 0);
  const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  ++counts_[static_cast<std::size_t>(place)];
  sum_ms_ += value;
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  sum_ms_ += other.sum_ms_;
}

std::int64_t Histogram::at_most(std::size_t bound) const {
  return std::accumulate(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(bound) + 1, std::int64_t{0});
}

std::int64_t Histogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

canon::Json Histogram::to_json() const {
  return {{"counts", counts_}, {"sumMs", sum_ms_}};
}

Histogram Histogram::from_json(const canon::Json& object, std::span<const std::int64_t> bounds_ms) {
  Histogram made(bounds_ms);
  canon::Fields fields(object, fault::Code::journal_tampered, "totals", "totals");
  const canon::Json& counts = fields.array("counts", made.counts_.size());
  if (counts.size() != made.counts_.size()) fields.fail("has other buckets", "counts");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!counts[i].is_number_integer() || counts[i] < 0 || counts[i] > kMax) fields.fail("is no count", "counts");
    made.counts_[i] = counts[i].get<std::int64_t>();
  }
  made.sum_ms_ = fields.integer("sumMs", 0, kMax);
  fields.finish();
  return made;
}

}  // namespace stella::telemetry
