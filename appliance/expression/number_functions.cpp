// SPDX-License-Identifier: Apache-2.0
// abs avg ceil floor sum to_number
#include <charconv>
#include <cmath>
#include <optional>

#include "appliance/expression/function.hpp"

namespace stella::expression {
namespace {

constexpr double kMaxInteger = 9007199254740992.0;  // 2^53: beyond it JSON's integers are doubles here

// Whole numbers that JSON holds exactly are integers.
Value number(const Call& call, double value) {
  if (!std::isfinite(value)) call.refuse_value("the result is too large for a number");
  if (value == std::trunc(value) && std::abs(value) <= kMaxInteger)
    return call.evaluation().make(static_cast<std::int64_t>(value));
  return call.evaluation().make(value);
}

// Integers are added as such for as long as they fit.
double total(const canon::Json& numbers) {
  std::int64_t whole = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i].is_number_integer() && !__builtin_add_overflow(whole, numbers[i].get<std::int64_t>(), &whole))
      continue;
    // The rest, from the sum before this element: a failed addition leaves its wrapped result in `whole`.
    double sum = 0;
    for (std::size_t k = 0; k < numbers.size(); ++k) sum += numbers[k].get<double>();
    return sum;
  }
  return static_cast<double>(whole);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 8259, "Numbers": -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_json_number(const std::string& text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t first = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - first;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t whole = i;
  const std::size_t count = digits();
  if (count == 0 || (count > 1 && text[whole] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<double> parse_number(const std::string& text) {
  if (!is_json_number(text)) return std::nullopt;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

Value act_abs(const Call& call) {
  return number(call, std::abs(call.json(0).get<double>()));
}

Value act_avg(const Call& call) {
  if (call.json(0).empty()) return Evaluation::null();
  return number(call, total(call.json(0)) / static_cast<double>(call.json(0).size()));
}

Value act_ceil(const Call& call) {
  return number(call, std::ceil(call.json(0).get<double>()));
}

Value act_floor(const Call& call) {
  return number(call, std::floor(call.json(0).get<double>()));
}

Value act_sum(const Call& call) {
  return number(call, total(call.json(0)));
}

Value act_to_number(const Call& call) {
  if (call.json(0).is_number()) return call.value(0);
  if (!call.json(0).is_string()) return Evaluation::null();
  call.meter().text(call.text(0).size());
  const auto parsed = parse_number(call.text(0));
  return parsed ? number(call, *parsed) : Evaluation::null();
}

}  // namespace stella::expression
