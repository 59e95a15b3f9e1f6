// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/formats.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "appliance/schema/address.hpp"
#include "appliance/schema/moments.hpp"
#include "appliance/schema/pattern.hpp"
#include "appliance/schema/uri.hpp"

namespace stella::schema {
namespace {

bool is_uuid(std::string_view text) {  // RFC 4122 section 3
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const std::string_view allowed = is_dash ? "-" : "0123456789abcdefABCDEF";
    if (allowed.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

bool is_json_pointer(std::string_view text) {  // RFC 6901 section 3
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

bool is_relative_json_pointer(std::string_view text) {  // draft-handrews-relative-json-pointer-01 section 3
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  const std::string_view rest = text.substr(digits);
  return rest == "#" || is_json_pointer(rest);
}

bool is_regex(std::string_view text) {  // what `pattern` takes
  try {
    const Pattern pattern(text, std::size_t{256} << 10);
    return true;
  } catch (const PatternError&) {
    return false;
  }
}

constexpr std::array kFormats = {std::pair{std::string_view("date-time"), &is_date_time},
                                 std::pair{std::string_view("date"), &is_date},
                                 std::pair{std::string_view("time"), &is_time},
                                 std::pair{std::string_view("duration"), &is_duration},
                                 std::pair{std::string_view("email"), &is_email},
                                 std::pair{std::string_view("hostname"), &is_hostname},
                                 std::pair{std::string_view("ipv4"), &is_ipv4},
                                 std::pair{std::string_view("ipv6"), &is_ipv6},
                                 std::pair{std::string_view("uri"), &is_uri},
                                 std::pair{std::string_view("uri-reference"), &is_uri_reference},
                                 std::pair{std::string_view("uuid"), &is_uuid},
                                 std::pair{std::string_view("json-pointer"), &is_json_pointer},
                                 std::pair{std::string_view("relative-json-pointer"), &is_relative_json_pointer},
                                 std::pair{std::string_view("regex"), &is_regex}};

}  // namespace

FormatCheck find_format(std::string_view name) {
  for (const auto& [known, check] : kFormats)
    if (known == name) return check;
  return nullptr;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const auto& [name, check] : kFormats) names.emplace_back(name);
  return names;
}

}  // namespace stella::schema
