// SPDX-License-Identifier: Apache-2.0
// Strict reading of a JSON object: every member is asked for by name and type, and what nobody asked for is refused
// with the nearest spelling. One reader per object, used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::canon {

class Fields {
 public:
  // `at` names the object for messages (`bundle.json`, `$.predicate.run`). Throws `code`/`reason` when it is no object.
  Fields(const Json& object, fault::Code code, std::string reason, std::string at);

  [[nodiscard]] bool has(std::string_view name) const;
  // Required; each throws when the member is missing or of another type.
  [[nodiscard]] std::string text(std::string_view name, std::size_t max_bytes = 65536);
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] bool boolean(std::string_view name);
  [[nodiscard]] const Json& object(std::string_view name);
  [[nodiscard]] const Json& array(std::string_view name, std::size_t max_items = 100000);
  [[nodiscard]] const Json& any(std::string_view name);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);  // an array of strings
  // Optional; absent gives nothing, another type throws.
  [[nodiscard]] std::optional<std::string> maybe_text(std::string_view name, std::size_t max_bytes = 65536);
  [[nodiscard]] const Json* maybe(std::string_view name);  // nullptr when absent
  // Text that must be one of `allowed`.
  [[nodiscard]] std::string choice(std::string_view name, const std::vector<std::string>& allowed);

  void ignore(std::string_view name);  // known, wanted by somebody else
  void finish() const;                 // throws for the first member nobody asked for

  [[noreturn]] void fail(const std::string& what, std::string_view name = {}) const;

 private:
  const Json& need(std::string_view name);
  const Json* object_;
  fault::Code code_;
  std::string reason_, at_;
  std::set<std::string, std::less<>> asked_;
};

// The nearest of `candidates` within a third of the length, or nothing: for "did you mean".
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
// Well-formed UTF-8: shortest forms only, no surrogates.
[[nodiscard]] bool is_utf8(std::string_view text);
// Foreign text made safe for a terminal, a log line or a page: control, bidi, zero-width characters and invalid UTF-8
// as \xNN or \u{NNNN}; newline as \n; at most `max_bytes` bytes of input, then an ellipsis with the count left out.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes = 2000);

}  // namespace stella::canon
