// SPDX-License-Identifier: Apache-2.0
// The formats of dates, times and durations. Any thread.
// Source: RFC 3339 section 5.6 (with leap seconds only at the end of a UTC day) and appendix A (durations).
#pragma once

#include <string_view>

namespace stella::schema {

[[nodiscard]] bool is_date(std::string_view text);
[[nodiscard]] bool is_time(std::string_view text);
[[nodiscard]] bool is_date_time(std::string_view text);
[[nodiscard]] bool is_duration(std::string_view text);

}  // namespace stella::schema
