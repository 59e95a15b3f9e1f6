// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/decimal.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace stella::schema {
namespace {

__extension__ using Wide = unsigned __int128;

struct Decimal {
  std::uint64_t digits = 0;  // at most 17 decimal digits
  int exponent = 0;          // of ten
};

Decimal decimal_of(double value) {
  std::array<char, 64> buffer{};
  const char* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value), std::chars_format::scientific).ptr;
  Decimal made;
  const char* at = buffer.data();
  for (bool is_fraction = false; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      is_fraction = true;
      continue;
    }
    made.digits = made.digits * 10 + static_cast<std::uint64_t>(*at - '0');
    if (is_fraction) --made.exponent;
  }
  int exponent = 0;
  const char* const sign = at == end ? end : at + 1;
  if (sign != end) (void)std::from_chars(*sign == '+' ? sign + 1 : sign, end, exponent);
  made.exponent += exponent;
  return made;
}

}  // namespace

bool is_multiple(double value, double divisor) {
  const Decimal a = decimal_of(value), b = decimal_of(divisor);
  if (a.digits == 0) return true;
  if (a.exponent < b.exponent) {  // a / (b * 10^n)
    Wide scaled = b.digits;
    for (int n = b.exponent - a.exponent; n > 0; --n) {
      scaled *= 10;
      if (scaled > a.digits) return false;
    }
    return a.digits % scaled == 0;
  }
  Wide rest = a.digits % b.digits;  // (a * 10^n) / b, reduced at each step
  for (int n = a.exponent - b.exponent; n > 0 && rest != 0; --n) rest = rest * 10 % b.digits;
  return rest == 0;
}

}  // namespace stella::schema
