// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/ansi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace stella::page {
namespace {

using markup::element;
using markup::Html;

struct Pen {
  int front = -1, back = -1;  // 0..15
  bool bold = false, faint = false, italic = false, under = false, struck = false, inverse = false;
  [[nodiscard]] bool is_plain() const {
    return front < 0 && back < 0 && !bold && !faint && !italic && !under && !struck && !inverse;
  }
  [[nodiscard]] std::string classes() const {
    std::string text;
    const auto add = [&](const std::string& one) { text += (text.empty() ? "" : " ") + one; };
    if (front >= 0) add(fmt::format("f{}", front));
    if (back >= 0) add(fmt::format("k{}", back));
    if (bold) add("bold");
    if (faint) add("dim");
    if (italic) add("slant");
    if (under) add("under");
    if (struck) add("struck");
    if (inverse) add("inverse");
    return text;
  }
};

// The nearest of the 16 by its parts: bright when any is strong, a bit of the colour where a part is near the largest.
int nearest(int red, int green, int blue) {
  const int most = std::max({red, green, blue}), least = std::min({red, green, blue});
  if (most - least < 32) return most < 48 ? 0 : most < 112 ? 8 : most < 208 ? 7 : 15;
  const int half = most - (most - least) / 2;
  const int bits = (red >= half ? 1 : 0) | (green >= half ? 2 : 0) | (blue >= half ? 4 : 0);
  return most > 208 ? 8 + bits : bits;
}
int of_256(int number) {
  if (number < 16) return number;
  if (number >= 232) {
    const int grey = 8 + (number - 232) * 10;
    return nearest(grey, grey, grey);
  }
  static constexpr std::array kLevels = {0, 95, 135, 175, 215, 255};
  const auto cube = static_cast<std::size_t>(number - 16);
  return nearest(kLevels[cube / 36], kLevels[cube / 6 % 6], kLevels[cube % 6]);
}

// What follows 38 or 48; `at` is left on the last number that belongs to it.
int colour_of(const std::vector<int>& numbers, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < numbers.size() ? std::clamp(numbers[i], 0, 255) : 0; };
  if (at + 2 < numbers.size() && numbers[at + 1] == 5) {
    at += 2;
    return of_256(byte(at));
  }
  if (at + 4 < numbers.size() && numbers[at + 1] == 2) {
    at += 4;
    return nearest(byte(at - 2), byte(at - 1), byte(at));
  }
  at = numbers.size();
  return -1;
}

void set_switch(Pen& pen, int number) {
  switch (number) {
    case 0:
      pen = {};
      break;
    case 1:
      pen.bold = true;
      break;
    case 2:
      pen.faint = true;
      break;
    case 3:
    case 23:
      pen.italic = number == 3;
      break;
    case 4:
    case 24:
      pen.under = number == 4;
      break;
    case 7:
    case 27:
      pen.inverse = number == 7;
      break;
    case 9:
    case 29:
      pen.struck = number == 9;
      break;
    case 22:
      pen.bold = pen.faint = false;
      break;
    case 39:
      pen.front = -1;
      break;
    case 49:
      pen.back = -1;
      break;
    default:
      break;
  }
}

void set(Pen& pen, const std::vector<int>& numbers) {
  for (std::size_t at = 0; at < numbers.size(); ++at) {
    const int number = numbers[at];
    if (number == 38) {
      pen.front = colour_of(numbers, at);
    } else if (number == 48) {
      pen.back = colour_of(numbers, at);
    } else if (number >= 30 && number <= 37) {
      pen.front = number - 30;
    } else if (number >= 40 && number <= 47) {
      pen.back = number - 40;
    } else if (number >= 90 && number <= 97) {
      pen.front = number - 82;
    } else if (number >= 100 && number <= 107) {
      pen.back = number - 92;
    } else {
      set_switch(pen, number);
    }
  }
}

std::vector<int> numbers_of(std::string_view parameters) {
  std::vector<int> numbers;
  while (numbers.size() < 32) {
    const std::size_t end = std::min(parameters.find_first_of(";:"), parameters.size());
    int number = 0;
    std::from_chars(parameters.data(), parameters.data() + end, number);
    numbers.push_back(number);
    if (end == parameters.size()) break;
    parameters.remove_prefix(end + 1);
  }
  return numbers;
}

// The length of the control sequence that `text` (from its ESC) begins with; 0: none that ends.
std::size_t sequence_length(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] == '[') {
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] >= 0x40 && text[i] <= 0x7E) return i + 1;
      if (text[i] < 0x20 || text[i] > 0x3F) return 0;
    }
    return 0;
  }
  if (text[1] == ']') {  // OSC, ended by BEL or ESC backslash
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\x1B') return i + 1 < text.size() && text[i + 1] == '\\' ? i + 2 : 0;
    }
    return 0;
  }
  return text[1] >= 0x30 && text[1] <= 0x7E ? 2 : 0;
}

bool is_sgr(std::string_view sequence) {
  return sequence.size() >= 3 && sequence[1] == '[' && sequence.back() == 'm' &&
         sequence.find_first_not_of("0123456789;:", 2) == sequence.size() - 1;
}

std::string_view last_written(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const std::size_t at = line.rfind('\r');
  return at == std::string_view::npos ? line : line.substr(at + 1);
}

}  // namespace

Html ansi_line(std::string_view line, std::size_t more_bytes) {
  line = last_written(line);
  const std::size_t left_out = more_bytes + line.size() - std::min(line.size(), kMaxShownLine);
  line = line.substr(0, kMaxShownLine);
  Html out;
  Pen pen;
  const auto put = [&](std::string_view text) {
    if (text.empty()) return;
    out += pen.is_plain() ? Html(text) : element("span", {{"class", pen.classes()}}, text);
  };
  std::size_t begun = 0;
  for (std::size_t at = line.find('\x1B'); at != std::string_view::npos; at = line.find('\x1B', at)) {
    const std::size_t length = sequence_length(line.substr(at));
    if (length == 0) {
      ++at;  // shown as what it is
      continue;
    }
    put(line.substr(begun, at - begun));
    const std::string_view sequence = line.substr(at, length);
    if (is_sgr(sequence)) set(pen, numbers_of(sequence.substr(2, sequence.size() - 3)));
    begun = at += length;
  }
  put(line.substr(begun));
  if (left_out > 0) out += element("span", {{"class", "more"}}, fmt::format(" … {} more bytes", left_out));
  return out;
}

}  // namespace stella::page
