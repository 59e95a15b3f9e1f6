// SPDX-License-Identifier: Apache-2.0
// Strict JSON in, RFC 8785 out. Any thread.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bundles/fault/error.hpp"

namespace stella::canon {

using Json = nlohmann::json;

// Refuses duplicate keys, invalid UTF-8, NaN, numbers that are not finite, integers beyond +-2^53, trailing bytes, a
// byte-order mark, depth over 64, text over `max_bytes` and more than `max_values` values (a value of one byte takes a
// hundred bytes of memory): throws `code`, reason `json`, at `at:line:column`.
// Source: RFC 8259, RFC 7493 (I-JSON).
[[nodiscard]] Json parse_json(std::string_view text, fault::Code code, const std::string& at,
                              std::size_t max_bytes = std::size_t{16} << 20, std::size_t max_values = 200000);
// For plans, which hold some forty values for each step.
inline constexpr std::size_t kMaxPlanValues = 4000000;

// RFC 8785 bytes. Throws internal for a value that parse_json would not have let in (invalid UTF-8, NaN).
[[nodiscard]] std::string canonical(const Json& value);

// Two-space indented, keys sorted, one newline at the end: for files that people read. Not for hashing.
[[nodiscard]] std::string pretty(const Json& value);

}  // namespace stella::canon
