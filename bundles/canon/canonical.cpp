// SPDX-License-Identifier: Apache-2.0
// RFC 8785: ECMAScript number text, UTF-16 key order, minimal escapes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::canon {
namespace {

void write_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// ECMA-262 Number::toString, from the shortest digits that std::to_chars gives.
std::string number_text(double value) {
  if (!std::isfinite(value))
    throw fault::Error(fault::Code::internal, "json", "a number that is not finite cannot be written");
  if (value == 0) return "0";
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string text(buffer.data(), end);
  const bool negative = text.front() == '-';
  if (negative) text.erase(0, 1);
  const auto e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  std::string digits = text.substr(0, 1);
  if (e > 2) digits += text.substr(2, e - 2);
  const int count = static_cast<int>(digits.size()), n = exponent + 1;
  std::string result;
  if (count <= n && n <= 21) {
    result = digits + std::string(static_cast<std::size_t>(n - count), '0');
  } else if (0 < n && n <= 21) {
    result = digits.substr(0, static_cast<std::size_t>(n)) + "." + digits.substr(static_cast<std::size_t>(n));
  } else if (-6 < n && n <= 0) {
    result = "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
  } else {
    result = digits.substr(0, 1);
    if (count > 1) result += "." + digits.substr(1);
    result += fmt::format("e{}{}", n - 1 < 0 ? "-" : "+", std::abs(n - 1));
  }
  return negative ? "-" + result : result;
}

// UTF-16 code units compare like code points except that surrogate pairs (U+10000 and up) sort below U+E000..U+FFFF.
bool utf16_less(const std::string& a, const std::string& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto x = static_cast<unsigned char>(a[i]), y = static_cast<unsigned char>(b[i]);
    if (x == y) continue;
    const bool x_pair = x >= 0xF0, y_pair = y >= 0xF0;
    if (x_pair != y_pair && x >= 0xEE && y >= 0xEE) return x_pair;
    return x < y;
  }
  return a.size() < b.size();
}

void write(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::null:
      out += "null";
      return;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::number_integer:
      out += std::to_string(value.get<std::int64_t>());
      return;
    case Json::value_t::number_unsigned:
      out += std::to_string(value.get<std::uint64_t>());
      return;
    case Json::value_t::number_float:
      out += number_text(value.get<double>());
      return;
    case Json::value_t::string:
      write_string(value.get_ref<const std::string&>(), out);
      return;
    case Json::value_t::array: {
      out += '[';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i > 0) out += ',';
        write(value[i], out);
      }
      out += ']';
      return;
    }
    case Json::value_t::object: {
      std::vector<std::pair<const std::string*, const Json*>> members;
      for (const auto& member : value.get_ref<const Json::object_t&>())
        members.emplace_back(&member.first, &member.second);
      std::sort(members.begin(), members.end(),
                [](const auto& a, const auto& b) { return utf16_less(*a.first, *b.first); });
      out += '{';
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        write_string(*members[i].first, out);
        out += ':';
        write(*members[i].second, out);
      }
      out += '}';
      return;
    }
    default:
      throw fault::Error(fault::Code::internal, "json", "a value that JSON has no form for");
  }
}

}  // namespace

std::string canonical(const Json& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stella::canon
