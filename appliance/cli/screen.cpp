// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace stella::cli {
namespace {

struct Range {
  char32_t first, last;
};
constexpr std::array kNone = {Range{0x300, 0x36F},   Range{0x483, 0x489},   Range{0x591, 0x5BD},
                              Range{0x610, 0x61A},   Range{0x64B, 0x65F},   Range{0x1AB0, 0x1AFF},
                              Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF},
                              Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};
constexpr std::array kWide = {Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},
                              Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},
                              Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
                              Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
                              Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return point >= range.first && point <= range.last; });
}

// One character, or one whole SGR escape (no columns). What is no UTF-8 counts as one column a byte.
struct Glyph {
  std::size_t bytes, columns;
  bool escape;
};

Glyph glyph_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead == 0x1B) {
    const std::size_t end = text.find('m', at);
    return {(end == std::string_view::npos ? text.size() : end + 1) - at, 0, true};
  }
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) return {1, 1, false};
  char32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = (point << 6U) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  return {length, is_in(kNone, point) ? 0U : is_in(kWide, point) ? 2U : 1U, false};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Glyph glyph = glyph_at(text, at);
    columns += glyph.columns;
    at += glyph.bytes;
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  const bool fits = columns_of(text) <= columns;
  const std::size_t room = fits ? columns : columns - std::min<std::size_t>(columns, 1);
  std::string kept;
  bool coloured = false;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Glyph glyph = glyph_at(text, at);
    if (used + glyph.columns > room) break;
    const std::string_view bytes = text.substr(at, glyph.bytes);
    kept += bytes == "\t" ? std::string_view(" ") : bytes;
    if (glyph.escape) coloured = bytes != "\x1b[0m";
    used += glyph.columns;
    at += glyph.bytes;
  }
  if (!fits && columns > 0) kept += "…";
  if (coloured) kept += "\x1b[0m";
  return kept;
}

// Moves to the block's first line and wipes from there.
void Screen::erase(std::string& out) {
  out += '\r';
  if (!shown_.empty()) out += fmt::format("\x1b[{}A", shown_.size());
  out += "\x1b[J";
  shown_.clear();
}

void Screen::draw(const std::vector<std::string>& lines, Size size) {
  std::vector<std::string> wanted;
  const std::size_t rows = size.rows > 1 ? size.rows - 1 : 0;  // one is the cursor's
  for (std::size_t i = 0; i < lines.size() && i < rows; ++i)
    wanted.push_back(cut_to(lines[i], size.columns > 1 ? size.columns - 1 : 0));  // the last column would wrap
  // A terminal that was resized has broken the lines anew: begin afresh.
  const bool afresh = !shown_.empty() && (size.columns != size_.columns || size.rows != size_.rows);
  size_ = size;
  if (!afresh && wanted == shown_) return;
  std::string out;
  if (afresh) erase(out);
  if (!shown_.empty()) out += fmt::format("\r\x1b[{}A", shown_.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool same = i < shown_.size() && shown_[i] == wanted[i];
    out += same ? "\n" : '\r' + wanted[i] + "\x1b[K\r\n";
  }
  if (wanted.size() < shown_.size()) out += "\r\x1b[J";
  shown_ = std::move(wanted);
  sink_(out);
}

void Screen::scroll(const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  std::string out;
  std::vector<std::string> block = shown_;
  erase(out);
  for (const std::string& line : lines) out += line + "\r\n";
  for (const std::string& one : block) out += one + "\r\n";
  shown_ = std::move(block);
  sink_(out);
}

void Screen::clear() {
  if (shown_.empty()) return;
  std::string out;
  erase(out);
  sink_(out);
}

}  // namespace stella::cli
