// SPDX-License-Identifier: Apache-2.0
// Wall time in UTC and durations, as the formats write them. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "bundles/fault/error.hpp"

namespace stella::clock {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

// Handed to whatever decides by time, so that a test can hand in another.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};
[[nodiscard]] const Clock& system_clock() noexcept;

[[nodiscard]] std::string format(Time time);          // 2026-11-23T16:54:33Z; milliseconds are cut off
[[nodiscard]] std::string format_millis(Time time);   // 2026-11-23T16:54:33.120Z
[[nodiscard]] std::string format_compact(Time time);  // 20261123T165433120Z, as in a run id
// RFC 3339 in UTC with `Z`, optional 1..3 fraction digits; anything else throws `code`, reason `time`, at `at`.
[[nodiscard]] Time parse_time(std::string_view text, fault::Code code, const std::string& at);

// ISO 8601 `P30D`, `PT24H`, `PT5M`, `PT1H30M`, `P1Y` (365 days), or short `30s 5m 24h 30d 500ms`.
// At most 100 years; anything else throws `code`, reason `duration`, at `at`.
[[nodiscard]] Duration parse_duration(std::string_view text, fault::Code code, const std::string& at);
[[nodiscard]] std::string format_duration(Duration duration);  // for people: `1 h 30 m`, `45 s`

}  // namespace stella::clock
