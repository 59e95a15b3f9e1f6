// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "bundles/canon/fields.hpp"

namespace stella::canon {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Decodes one UTF-8 sequence at `i`; length 0 when it is not valid.
struct Decoded {
  char32_t point;
  std::size_t length;
};
Decoded decode(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char first = byte(i);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || i + length > text.size()) return {0, 0};
  char32_t point = first & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return {0, 0};
    point = (point << 6U) | (byte(i + k) & 0x3FU);
  }
  const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {0, 0};
  return {point, length};
}

// Controls, bidi overrides and isolates, zero-width and other invisible characters: they would let text lie on a
// screen.
bool is_dangerous(char32_t p) {
  return p < 0x20 || (p >= 0x7F && p < 0xA0) || p == 0xAD || p == 0x61C || (p >= 0x115F && p <= 0x1160) ||
         p == 0x180E || (p >= 0x200B && p <= 0x200F) || (p >= 0x2028 && p <= 0x202E) || (p >= 0x2060 && p <= 0x206F) ||
         p == 0x3164 || (p >= 0xFE00 && p <= 0xFE0F) || p == 0xFEFF || p == 0xFFA0 || (p >= 0xFFF0 && p <= 0xFFFB) ||
         (p >= 0xE0000 && p <= 0xE0FFF);
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 100) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 100) continue;
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Decoded found = decode(text, i);
    if (found.length == 0) return false;
    i += found.length;
  }
  return true;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  const std::size_t end = std::min(text.size(), max_bytes);
  std::size_t i = 0;
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  while (i < end) {
    const auto* plain_end = std::find_if_not(text.begin() + i, text.begin() + end, is_plain);
    const auto plain = static_cast<std::size_t>(plain_end - (text.begin() + i));
    out += text.substr(i, plain);
    i += plain;
    if (i == end) break;
    const Decoded found = decode(text, i);
    if (found.length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
      ++i;
      continue;
    }
    if (found.point == '\n') {
      out += "\\n";
    } else if (found.point == '\t') {
      out += "\\t";
    } else if (found.point < 0x80 && is_dangerous(found.point)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(found.point));
    } else if (is_dangerous(found.point)) {
      out += fmt::format("\\u{{{:04x}}}", static_cast<std::uint32_t>(found.point));
    } else {
      out += text.substr(i, found.length);
    }
    i += found.length;
  }
  if (i < text.size()) out += fmt::format("… ({} more bytes)", text.size() - i);
  return out;
}

}  // namespace stella::canon
