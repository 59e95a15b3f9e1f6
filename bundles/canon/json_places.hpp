// SPDX-License-Identifier: Apache-2.0
// Where the values of a JSON text stand, for messages about a file that somebody wrote. Any thread.
// Source: RFC 6901 for pointers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace stella::canon {

struct Place {
  int line = 0, column = 0;  // from 1; columns count characters
};
struct Places {
  Place value, name;  // name: where the member's name stands; the value's own place for items and the whole
};

// The places of those of `pointers` that the text has, in one pass. `text` is what parse_json has let in.
[[nodiscard]] std::map<std::string, Places> find_places(std::string_view text, const std::set<std::string>& pointers);

// One more step of a JSON pointer: `/` and `name` with `~` and `/` escaped.
[[nodiscard]] std::string pointer_step(std::string_view name);

}  // namespace stella::canon
