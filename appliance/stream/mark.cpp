// SPDX-License-Identifier: Apache-2.0
#include "appliance/stream/mark.hpp"

#include <fmt/format.h>

#include <charconv>

namespace stella::stream {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 53;

// The number before the next dot, which is taken too.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || value > kLargest) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  if (text.empty()) return value;
  if (text.front() != '.' || text.size() == 1) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

}  // namespace

std::string text_of(Kind kind, const Mark& mark) {
  if (kind == Kind::events) return fmt::format("{}", mark.first);
  return mark.within == 0 ? fmt::format("{}.{}", mark.first, mark.offset)
                          : fmt::format("{}.{}.{}", mark.first, mark.offset, mark.within);
}

std::optional<Mark> parse_mark(Kind kind, std::string_view text) {
  Mark mark;
  const auto first = take_number(text);
  if (!first) return std::nullopt;
  mark.first = *first;
  if (kind == Kind::events) return text.empty() ? std::optional(mark) : std::nullopt;
  const auto offset = take_number(text);
  if (!offset || mark.first >= (std::uint64_t{1} << 32)) return std::nullopt;
  mark.offset = *offset;
  if (text.empty()) return mark;
  const auto within = take_number(text);
  if (!within || !text.empty()) return std::nullopt;
  mark.within = *within;
  return mark;
}

}  // namespace stella::stream
