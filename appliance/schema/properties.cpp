// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace stella::schema {
namespace {

using Row = std::pair<std::string_view, std::string_view>;  // long name, RE2's name
constexpr std::array kCategories = {
    Row{"Letter", "L"},
    Row{"Uppercase_Letter", "Lu"},
    Row{"Lowercase_Letter", "Ll"},
    Row{"Titlecase_Letter", "Lt"},
    Row{"Modifier_Letter", "Lm"},
    Row{"Other_Letter", "Lo"},
    Row{"Mark", "M"},
    Row{"Combining_Mark", "M"},
    Row{"Nonspacing_Mark", "Mn"},
    Row{"Spacing_Mark", "Mc"},
    Row{"Enclosing_Mark", "Me"},
    Row{"Number", "N"},
    Row{"Decimal_Number", "Nd"},
    Row{"digit", "Nd"},
    Row{"Letter_Number", "Nl"},
    Row{"Other_Number", "No"},
    Row{"Punctuation", "P"},
    Row{"punct", "P"},
    Row{"Connector_Punctuation", "Pc"},
    Row{"Dash_Punctuation", "Pd"},
    Row{"Open_Punctuation", "Ps"},
    Row{"Close_Punctuation", "Pe"},
    Row{"Initial_Punctuation", "Pi"},
    Row{"Final_Punctuation", "Pf"},
    Row{"Other_Punctuation", "Po"},
    Row{"Symbol", "S"},
    Row{"Math_Symbol", "Sm"},
    Row{"Currency_Symbol", "Sc"},
    Row{"Modifier_Symbol", "Sk"},
    Row{"Other_Symbol", "So"},
    Row{"Separator", "Z"},
    Row{"Space_Separator", "Zs"},
    Row{"Line_Separator", "Zl"},
    Row{"Paragraph_Separator", "Zp"},
    Row{"Other", "C"},
    Row{"Control", "Cc"},
    Row{"cntrl", "Cc"},
    Row{"Format", "Cf"},
    Row{"Surrogate", "Cs"},
    Row{"Private_Use", "Co"},
};

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<std::string_view> category(std::string_view name) {
  for (const auto& [full, brief] : kCategories)
    if (name == full || name == brief) return brief;
  return std::nullopt;
}

std::string set_of(std::string_view name, bool negated) {
  return fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', name);
}

}  // namespace

std::optional<std::string> property_set(std::string_view name, bool negated) {
  const auto equals = name.find('=');
  const std::string_view value = equals == std::string_view::npos ? name : name.substr(equals + 1);
  const std::string_view key = equals == std::string_view::npos ? "" : name.substr(0, equals);
  if (!is_name(value)) return std::nullopt;
  if (key == "Script" || key == "sc") return set_of(value, negated);
  if (!key.empty() && key != "General_Category" && key != "gc") return std::nullopt;
  if (const auto found = category(value)) return set_of(*found, negated);
  if (!key.empty()) return std::nullopt;
  if (value == "Any" && !negated) return R"(\x{0}-\x{10ffff})";
  if (value == "ASCII") return negated ? R"(\x{80}-\x{10ffff})" : R"(\x{0}-\x{7f})";
  return std::nullopt;
}

}  // namespace stella::schema
