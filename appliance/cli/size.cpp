// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/size.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::cli {
namespace {

constexpr std::uint64_t kCeiling = std::uint64_t{1} << 40;

struct Unit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array kUnits = {Unit{"", 0},   Unit{"B", 0},    Unit{"K", 10}, Unit{"KiB", 10},
                               Unit{"M", 20}, Unit{"MiB", 20}, Unit{"G", 30}, Unit{"GiB", 30}};

}  // namespace

std::uint64_t parse_size(std::string_view text, const std::string& option) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
  for (const auto& known : kUnits)
    if (read.ec == std::errc() && unit == known.name && number <= kCeiling >> known.shift) return number << known.shift;
  throw fault::Error(fault::Code::usage, "size", fmt::format("`{}` is no size", canon::printable(text, 40)), option,
                     "Write a whole number and KiB, MiB or GiB, as in 64MiB.");
}

}  // namespace stella::cli
