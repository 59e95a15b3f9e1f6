// SPDX-License-Identifier: Apache-2.0
// Unicode properties by the names that ECMA-262 gives them. Any thread.
// Source: ECMA-262 2020 tables 55 to 57 (general categories, scripts, `Any` and `ASCII`).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stella::schema {

// What stands between the braces of `\p{...}` as members of an RE2 class; nullopt when RE2 has no such set. A script
// that RE2 does not know is refused by RE2.
[[nodiscard]] std::optional<std::string> property_set(std::string_view name, bool negated);

}  // namespace stella::schema
