// SPDX-License-Identifier: Apache-2.0
// ECMA-262 patterns, read sign by sign and written again as RE2 reads them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "appliance/schema/pattern.hpp"
#include "appliance/schema/properties.hpp"

namespace stella::schema {
namespace {

constexpr std::string_view kSpace =
    R"(\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view kNotSpace =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";

// One member of a class, or one escape: a character, or a set in the form that stands inside `[...]`.
struct Atom {
  std::optional<char32_t> point;
  std::string set;
};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  std::string translate() {
    while (at_ < text_.size()) translate_one();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what, std::size_t offset) const {
    std::size_t character = 1;
    for (const char c : text_.substr(0, offset))
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++character;
    throw PatternError(fmt::format("{} at character {}", what, character));
  }

  [[nodiscard]] bool sees(std::string_view words) const { return text_.substr(at_).starts_with(words); }

  void translate_one() {
    const char c = text_[at_];
    if (c == '\\') return translate_escape();
    if (c == '[') return translate_class();
    if (c == '(') return translate_group();
    if (c == '{') return translate_brace();
    if (c == '.') {
      ++at_;
      out_ += R"([^\n\r\x{2028}\x{2029}])";
    } else if (c == '}' || c == ']') {
      ++at_;
      out_ += {'\\', c};
    } else if (std::string_view("^$*+?)|").find(c) != std::string_view::npos) {
      ++at_;
      out_ += c;
    } else {
      write(next_point());
    }
  }

  void translate_group() {
    const std::size_t start = at_;
    if (sees("(?=") || sees("(?!"))
      refuse(fmt::format("look-ahead `{}` is not supported (matching takes linear time)", text_.substr(at_, 3)), start);
    if (sees("(?<=") || sees("(?<!"))
      refuse(fmt::format("look-behind `{}` is not supported (matching takes linear time)", text_.substr(at_, 4)),
             start);
    if (sees("(?:")) {
      out_ += "(?:";
      at_ += 3;
    } else if (sees("(?<")) {
      const std::size_t close = text_.find('>', at_);
      if (close == std::string_view::npos) refuse("the name of a group does not end", start);
      out_ += "(?P<";
      out_ += text_.substr(at_ + 3, close - at_ - 2);
      at_ = close + 1;
    } else if (sees("(?")) {
      refuse("`(?` begins nothing that ECMA-262 has (inline flags are not in it)", start);
    } else {
      out_ += '(';
      ++at_;
    }
  }

  // A counted repeat, or a brace that means itself.
  void translate_brace() {
    std::size_t end = at_ + 1;
    const auto digits = [&] {
      const std::size_t start = end;
      while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
      return text_.substr(start, end - start);
    };
    const std::string_view low = digits();
    std::string_view high = low;
    if (end < text_.size() && text_[end] == ',') {
      ++end;
      high = digits();
    }
    if (low.empty() || end >= text_.size() || text_[end] != '}') {
      ++at_;
      out_ += "\\{";
      return;
    }
    for (const std::string_view count : {low, high})
      if (count.size() > 4 || (count.size() == 4 && count > "1000")) refuse("a repeat of more than 1,000", at_);
    out_ += text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
  }

  void translate_escape() {
    const std::size_t start = at_;
    if (sees("\\b") || sees("\\B")) {
      out_ += text_.substr(at_, 2);
      at_ += 2;
      return;
    }
    if (sees("\\k<")) refuse("the back-reference `\\k<` is not supported (matching takes linear time)", start);
    if (at_ + 1 < text_.size() && text_[at_ + 1] >= '1' && text_[at_ + 1] <= '9')
      refuse(fmt::format("the back-reference `\\{}` is not supported (matching takes linear time)", text_[at_ + 1]),
             start);
    const Atom atom = read_escape();
    if (atom.point)
      write(*atom.point);
    else
      out_ += "[" + atom.set + "]";
  }

  void translate_class() {
    const std::size_t start = at_++;
    const bool negated = sees("^");
    if (negated) ++at_;
    std::string members;
    while (at_ < text_.size() && text_[at_] != ']') members += read_member();
    if (at_ >= text_.size()) refuse("the class `[` is not closed", start);
    ++at_;
    if (members.empty())
      out_ += negated ? R"([\x{0}-\x{10ffff}])" : R"([^\x{0}-\x{10ffff}])";
    else
      out_ += (negated ? "[^" : "[") + members + "]";
  }

  // One character, set or range of a class.
  std::string read_member() {
    const std::size_t start = at_;
    const Atom low = read_atom();
    const bool is_range = sees("-") && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
    if (!is_range) return low.point ? escaped(*low.point) : low.set;
    ++at_;
    const Atom high = read_atom();
    if (!low.point || !high.point)  // `[\w-.]`: the dash means itself
      return (low.point ? escaped(*low.point) : low.set) + "\\-" + (high.point ? escaped(*high.point) : high.set);
    if (*high.point < *low.point) refuse("a range that ends before it begins", start);
    return escaped(*low.point) + "-" + escaped(*high.point);
  }

  Atom read_atom() {
    if (!sees("\\")) return {next_point(), {}};
    if (sees("\\b")) {
      at_ += 2;
      return {U'\b', {}};
    }
    return read_escape();
  }

  Atom read_escape() {
    const std::size_t start = at_++;
    if (at_ >= text_.size()) refuse("the pattern ends with `\\`", start);
    const char c = text_[at_];
    static constexpr std::array<std::pair<char, char32_t>, 5> kControls = {
        {{'t', U'\t'}, {'n', U'\n'}, {'v', U'\v'}, {'f', U'\f'}, {'r', U'\r'}}};
    for (const auto& [name, point] : kControls)
      if (c == name) return ++at_, Atom{point, {}};
    ++at_;
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
        return {std::nullopt, {'\\', c}};
      case 's':
        return {std::nullopt, std::string(kSpace)};
      case 'S':
        return {std::nullopt, std::string(kNotSpace)};
      case 'p':
      case 'P':
        return {std::nullopt, read_property(c == 'P', start)};
      case 'c':
        return {read_control(start), {}};
      case '0':
        if (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') refuse("`\\0` before a digit", start);
        return {U'\0', {}};
      case 'x':
        return {read_hex(2, start), {}};
      case 'u':
        return {read_unicode(start), {}};
      default:
        --at_;
    }
    const char32_t point = next_point();
    const bool is_word =
        (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z');
    if (is_word || point > 0x7F)
      refuse(fmt::format("`\\{}` is not an escape of ECMA-262", text_.substr(start + 1, at_ - start - 1)), start);
    return {point, {}};
  }

  char32_t read_control(std::size_t start) {
    const char c = at_ < text_.size() ? text_[at_] : ' ';
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) refuse("`\\c` wants a letter", start);
    ++at_;
    return static_cast<char32_t>(c) % 32;
  }

  char32_t read_hex(std::size_t digits, std::size_t start) {
    char32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const auto digit =
          at_ < text_.size() ? std::string_view("0123456789abcdef").find(static_cast<char>(text_[at_] | 0x20)) : 16;
      if (digit > 15) refuse(fmt::format("an escape that wants {} hex digits", digits), start);
      value = value * 16 + static_cast<char32_t>(digit);
    }
    return value;
  }

  char32_t read_unicode(std::size_t start) {
    if (sees("{")) {
      const auto close = text_.find('}', at_);
      const std::size_t digits = close == std::string_view::npos ? 0 : close - at_ - 1;
      if (digits < 1 || digits > 6) refuse("`\\u{` wants 1 to 6 hex digits and `}`", start);
      ++at_;
      const char32_t point = read_hex(digits, start);
      ++at_;
      if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) refuse("`\\u{` of no character", start);
      return point;
    }
    const char32_t first = read_hex(4, start);
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !sees("\\u")) refuse("half of a surrogate pair", start);
    at_ += 2;
    const char32_t second = read_hex(4, start);
    if (second < 0xDC00 || second > 0xDFFF) refuse("half of a surrogate pair", start);
    return 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00);
  }

  std::string read_property(bool negated, std::size_t start) {
    const auto close = text_.find('}', at_);
    if (!sees("{") || close == std::string_view::npos) refuse("`\\p` wants a property: `\\p{Letter}`", start);
    const std::string_view name = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    if (auto set = property_set(name, negated)) return *set;
    refuse(fmt::format("the property `\\p{{{}}}` is not supported", name.substr(0, 40)), start);
  }

  char32_t next_point() {  // the text is UTF-8: JSON has seen to that
    const auto first = static_cast<unsigned char>(text_[at_++]);
    if (first < 0x80) return first;
    const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    char32_t point = first & (0x3FU >> more);
    for (std::size_t i = 0; i < more && at_ < text_.size(); ++i)
      point = (point << 6U) | (static_cast<unsigned char>(text_[at_++]) & 0x3FU);
    return point;
  }

  static std::string escaped(char32_t point) {
    const bool is_word =
        (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z');
    return is_word ? std::string(1, static_cast<char>(point))
                   : fmt::format("\\x{{{:x}}}", static_cast<std::uint32_t>(point));
  }

  void write(char32_t point) { out_ += escaped(point); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string translate_pattern(std::string_view pattern) {
  return Translator(pattern).translate();
}

}  // namespace stella::schema
