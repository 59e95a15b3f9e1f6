// SPDX-License-Identifier: Apache-2.0
// Reading what a client sent as text: the request target, form fields, cookies, a form with files. Everything is
// bounded and strict: what is not plainly well formed is refused, nothing is repaired. Any thread. Source: RFC 3986
// section 2.1 and 3.3, RFC 9112 section 3.2, RFC 7578, RFC 6265 section 4.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stella::http {

inline constexpr std::size_t kMaxTarget = 8192, kMaxPairs = 64, kMaxParts = 16;

using Pairs = std::vector<std::pair<std::string, std::string>>;
// The value of a name that must not come twice; nothing when it is absent. ERR_USAGE reason `twice`.
[[nodiscard]] std::optional<std::string> find_pair(const Pairs& pairs, std::string_view name);

struct Target {
  std::string path;                   // as it came, without the query
  std::vector<std::string> segments;  // decoded; none for `/`
  Pairs query;                        // decoded, `+` is a space
};
// Origin form only. ERR_USAGE reason `target`: too long, bad percent-encoding, not UTF-8, control characters, a segment
// that is empty, `.`, `..` or holds a slash or backslash, more than 64 query pairs.
[[nodiscard]] Target parse_target(std::string_view text);
// application/x-www-form-urlencoded. ERR_USAGE reason `form`.
[[nodiscard]] Pairs parse_form(std::string_view body);
// The value of one cookie; nothing when it is absent, comes twice or the header is malformed.
[[nodiscard]] std::optional<std::string> find_cookie(std::string_view header, std::string_view name);

struct Part {  // of multipart/form-data
  std::string name, file_name;
  std::string_view bytes;  // in the body
};
// ERR_USAGE reason `form`. `content_type` names the boundary.
[[nodiscard]] std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body);
// `text/html; charset=utf-8` -> text/html, in lower case
[[nodiscard]] std::string media_type(std::string_view content_type);

// For building links: everything but unreserved characters as %XX.
[[nodiscard]] std::string escape_segment(std::string_view text);

}  // namespace stella::http
