// SPDX-License-Identifier: Apache-2.0
#include "bundles/yaml/scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace stella::yaml {
namespace {

constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

enum class Shape { text, integer, real };

// RFC 8259 section 6: -? int frac? exp?
Shape shape_of(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  if (at == whole || (text[whole] == '0' && at - whole > 1)) return Shape::text;
  if (at == text.size()) return Shape::integer;
  if (text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    if (at == fraction) return Shape::text;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return Shape::text;
  }
  return at == text.size() ? Shape::real : Shape::text;
}

Scalar read_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || value > kLargestInteger || value < -kLargestInteger) {
    return {nullptr, "this integer is beyond 2^53, which not every reader keeps exactly; write it as text in quotes"};
  }
  return {value, {}};
}

Scalar read_real(std::string_view text) {
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || !std::isfinite(value)) {
    return {nullptr, "this number does not fit a double; write it as text in quotes"};
  }
  return {value, {}};
}

struct Decoded {
  std::uint32_t point = 0;
  std::size_t length = 0;  // 0: invalid
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t point = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return {};
  return {point, length};
}

// YAML 1.2.2 section 5.1, c-printable, without the byte-order mark.
bool is_printable(std::uint32_t point) {
  if (point == '\t' || point == '\n' || point == '\r') return true;
  if (point < 0x20 || point == 0x7f) return false;
  if (point >= 0x80 && point < 0xa0) return point == 0x85;
  return point != 0xfeff && point != 0xfffe && point != 0xffff;
}

std::optional<Flaw> find_unprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text.substr(at));
    if (decoded.length == 0) return Flaw{at, "this is not UTF-8 text"};
    if (decoded.point == 0xfeff) return Flaw{at, "a byte-order mark stands here; save the file as UTF-8 without one"};
    if (!is_printable(decoded.point)) return Flaw{at, "a control character stands here"};
    at += decoded.length;
  }
  return std::nullopt;
}

}  // namespace

Scalar read_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {nullptr, {}};
  if (text == "true" || text == "True" || text == "TRUE") return {true, {}};
  if (text == "false" || text == "False" || text == "FALSE") return {false, {}};
  switch (shape_of(text)) {
    case Shape::integer:
      return read_integer(text);
    case Shape::real:
      return read_real(text);
    case Shape::text:
      break;
  }
  return {std::string(text), {}};
}

bool is_text(std::string_view text) {
  return !find_unprintable(text);
}

std::optional<Flaw> find_flaw(std::string_view text) {
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (text.substr(at + 1, 1) != "\n") return Flaw{at, "a carriage return without a line feed stands here"};
  }
  return find_unprintable(text);
}

std::optional<Flaw> find_burden(std::string_view text) {
  constexpr std::size_t kMaxEmptyLines = 200, kMaxSigns = 100000;
  std::size_t empty_lines = 0, signs = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with('%')) return Flaw{at, "a `%` directive stands here; the file needs none"};
    empty_lines = line.find_first_not_of(" \t\r") == std::string_view::npos ? empty_lines + 1 : 0;
    if (empty_lines > kMaxEmptyLines) return Flaw{at, "more than 200 empty lines stand in a row"};
    for (const char c : line) signs += std::string_view("[]{},").find(c) != std::string_view::npos ? 1 : 0;
    if (signs > kMaxSigns) return Flaw{at, "the file has more than 100,000 brackets, braces and commas"};
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace stella::yaml
