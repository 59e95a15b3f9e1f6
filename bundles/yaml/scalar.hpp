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
// tab and line ends, a carriage return on its own, or a character that YAML 1.2 does not count as printable.
[[nodiscard]] std::optional<Flaw> find_flaw(std::string_view text);
// The same for what escapes in a scalar have made, where any line end may stand.
[[nodiscard]] bool is_text(std::string_view text);
// What libfyaml 0.7.12 would take minutes or hundreds of megabytes for: more than 200 empty lines in a row (each is
// scanned again for the ones before it), more than 100,000 of `[ ] { } ,` (in flow style all tokens are held before the
// first event comes), a line that begins with `%` (directives are held too; they are refused anyway).
[[nodiscard]] std::optional<Flaw> find_burden(std::string_view text);

}  // namespace stella::yaml
