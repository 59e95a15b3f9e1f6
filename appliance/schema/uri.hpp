// SPDX-License-Identifier: Apache-2.0
// URIs and references to them, as text. Any thread.
// Source: RFC 3986 appendix B (parts), section 5.2 (resolution), appendix A (what is well-formed).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stella::schema {

struct Uri {
  std::optional<std::string> scheme, authority, query, fragment;
  std::string path;
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Uri split_uri(std::string_view text);  // takes any text
[[nodiscard]] Uri resolve_uri(const Uri& base, const Uri& reference);
// Escaped octets as they are meant; nullopt when a `%` is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);

[[nodiscard]] bool is_uri(std::string_view text);  // with a scheme
[[nodiscard]] bool is_uri_reference(std::string_view text);

}  // namespace stella::schema
