// SPDX-License-Identifier: Apache-2.0
// What a plain YAML scalar means, and whether a text may be YAML at all. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bundles/canon/json.hpp"

namespace stella::yaml {

struct Scalar {
  canon::Json value;
  std::string problem;  // not empty: why it is refused
};
// The rules of document.hpp for a scalar without quotes.
[[nodiscard]] Scalar read_plain(std::string_view text);

struct Flaw {
  std::size_t offset;
  std::string what;
};
// The first byte that no text file holds: invalid UTF-8 (RFC 3629), a byte-order mark, a control character other than
// tab and line ends, or a character that YAML 1.2 does not count as printable.
[[nodiscard]] std::optional<Flaw> find_flaw(std::string_view text);

}  // namespace stella::yaml
