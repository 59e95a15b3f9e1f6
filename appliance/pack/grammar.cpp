// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/grammar.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace stella::pack {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <class Test>
bool all_of(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 9 && all_of(text, is_digit) && (text.size() == 1 || text[0] != '0');
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

bool is_pack_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_version(std::string_view text) {
  if (text.size() > 64) return false;
  const std::size_t dash = text.find('-');
  const std::string_view numbers = text.substr(0, dash);
  const std::size_t first = numbers.find('.'), second = first == numbers.npos ? first : numbers.find('.', first + 1);
  if (second == numbers.npos || !is_number(numbers.substr(0, first)) ||
      !is_number(numbers.substr(first + 1, second - first - 1)) || !is_number(numbers.substr(second + 1)))
    return false;
  if (dash == text.npos) return true;
  const std::string_view rest = text.substr(dash + 1);
  return !rest.empty() && all_of(rest, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; }) &&
         rest.front() != '.' && rest.back() != '.' && rest.find("..") == rest.npos;
}

bool is_image_name(std::string_view text) {
  const auto is_plain = [](char c) { return is_lower(c) || is_digit(c); };
  const auto is_mark = [](char c) { return c == '.' || c == '_' || c == '-' || c == '/'; };
  if (text.empty() || text.size() > 128 || !is_plain(text.front()) || !is_plain(text.back())) return false;
  for (std::size_t i = 1; i < text.size(); ++i)
    if (!is_plain(text[i]) && !(is_mark(text[i]) && is_plain(text[i - 1]))) return false;
  return true;
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_letter(text.front()) &&
         all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool is_secret_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && (is_letter(text.front()) || is_digit(text.front())) &&
         all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_output_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && !is_digit(text.front()) &&
         all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_variable(std::string_view text) {
  return !text.empty() && text.size() <= 255 && !is_digit(text.front()) && !text.starts_with("STELLA_") &&
         all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (is_address(std::string(text))) return true;
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return false;
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
  }
  // What looks like an IPv4 address and is none (1.2.3, 1.2.3.256) is a mistake, not a name.
  return !all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

bool is_inner_path(std::string_view text) {
  if (text.empty() || text.size() > 1024 || text.find('\0') != text.npos) return false;
  for (std::string_view rest = text;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == rest.npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

}  // namespace stella::pack
