// SPDX-License-Identifier: Apache-2.0
// Lenient reading of JSON that we wrote ourselves and that was verified: what is missing reads as empty. For JSON from
// outside there is canon::Fields. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::canon {

// The member's text; empty when it is missing or no text.
[[nodiscard]] std::string text_in(const Json& object, const char* name);
// The member's integer; 0 when it is missing or no integer.
[[nodiscard]] std::int64_t integer_in(const Json& object, const char* name);
// The member for people: text as it is, all else as canonical JSON, made printable; empty when it is missing or null.
[[nodiscard]] std::string shown_in(const Json& object, const char* name, std::size_t max_bytes = 300);
// The texts of an array for people, each made printable; none when it is missing or no array.
[[nodiscard]] std::vector<std::string> all_shown_in(const Json& object, const char* name, std::size_t max_bytes = 120);

}  // namespace stella::canon
