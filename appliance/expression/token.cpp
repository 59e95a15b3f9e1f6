// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bundles/canon/fields.hpp"

namespace stella::expression {
namespace {

constexpr long kFarthest = 1L << 40;  // no list that fits in memory is as long

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& at) : text_(text), at_(at) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    for (skip_space(); place_ < text_.size(); skip_space()) tokens.push_back(next());
    Token end;
    end.column = place_ + 1;
    end.text = "the end";
    tokens.push_back(end);
    return tokens;
  }

 private:
  void skip_space() {
    while (place_ < text_.size() && std::string_view(" \t\r\n").find(text_[place_]) != std::string_view::npos) ++place_;
  }

  Token next() {
    const char c = text_[place_];
    if (is_letter(c)) return name();
    if (is_digit(c) || c == '-') return number();
    if (c == '"') return quoted_name();
    if (c == '\'') return raw_string();
    if (c == '`') return json_literal();
    return sign();
  }

  Token name() {
    Token token = start(Sign::name);
    while (place_ < text_.size() && (is_letter(text_[place_]) || is_digit(text_[place_])))
      token.text += text_[place_++];
    return token;
  }

  Token number() {
    Token token = start(Sign::number);
    token.text += text_[place_++];
    while (place_ < text_.size() && is_digit(text_[place_])) token.text += text_[place_++];
    if (token.text == "-")
      refuse("there is no subtraction; a name with a hyphen is written in double quotes, as in steps.\"my-step\"",
             token.column, at_);
    const bool from_end = token.text.front() == '-';
    for (const char digit : token.text.substr(from_end ? 1 : 0))
      token.number = std::min(token.number * 10 + (digit - '0'), kFarthest);
    if (from_end) token.number = -token.number;
    return token;
  }

  // From the opening delimiter to its match; a backslash keeps the next character from ending it.
  std::string delimited(char delimiter, std::size_t column, std::string_view kind) {
    std::string inside;
    for (++place_; place_ < text_.size(); ++place_) {
      if (text_[place_] == delimiter) {
        ++place_;
        return inside;
      }
      if (text_[place_] == '\\' && place_ + 1 < text_.size()) inside += text_[place_++];
      inside += text_[place_];
    }
    refuse(fmt::format("the {} that begins here does not end", kind), column, at_);
  }

  Token quoted_name() {
    Token token = start(Sign::name);
    const std::string inside = delimited('"', token.column, "quoted name");
    const canon::Json parsed = parse('"' + inside + '"', token.column, "quoted name");
    token.text = parsed.get<std::string>();
    token.quoted = true;
    return token;
  }

  Token raw_string() {
    Token token = start(Sign::literal);
    token.value = without_escape(delimited('\'', token.column, "string"), '\'');
    token.text = "a string";
    return token;
  }

  Token json_literal() {
    Token token = start(Sign::literal);
    const std::string inside = without_escape(delimited('`', token.column, "literal"), '`');
    token.value = parse(inside, token.column, "literal");
    token.text = "a literal";
    return token;
  }

  // Only the delimiter's own escape is undone: in raw strings every other backslash stands for itself (specification,
  // "Raw String Literals"), in JSON the rest is JSON's.
  static std::string without_escape(const std::string& text, char delimiter) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == delimiter) continue;
      out += text[i];
    }
    return out;
  }

  canon::Json parse(const std::string& text, std::size_t column, std::string_view kind) {
    try {
      return canon::parse_json(text, fault::Code::pack_invalid, "literal", kMaxText);
    } catch (const fault::Error& error) {
      refuse(fmt::format("the {} that begins here is not JSON: {}{}", kind, error.what(),
                         kind == "literal" ? "; a string is written in single quotes, as in 'text'" : ""),
             column, at_);
    }
  }

  Token sign() {
    // Longer spellings first.
    static constexpr std::array<std::pair<std::string_view, Sign>, 24> kSigns = {
        {{"||", Sign::either},    {"&&", Sign::both},       {"==", Sign::equal},       {"!=", Sign::unequal},
         {"<=", Sign::at_most},   {">=", Sign::at_least},   {"[]", Sign::flatten},     {"[?", Sign::filter},
         {"<", Sign::less},       {">", Sign::greater},     {"!", Sign::negation},     {".", Sign::dot},
         {"*", Sign::star},       {"@", Sign::current},     {"&", Sign::reference},    {"|", Sign::pipe},
         {",", Sign::comma},      {":", Sign::colon},       {"[", Sign::open_bracket}, {"]", Sign::close_bracket},
         {"(", Sign::open_paren}, {")", Sign::close_paren}, {"{", Sign::open_brace},   {"}", Sign::close_brace}}};
    for (const auto& [spelling, sign] : kSigns)
      if (text_.substr(place_).starts_with(spelling)) {
        Token token = start(sign);
        token.text = spelling;
        place_ += spelling.size();
        return token;
      }
    refuse_sign();
  }

  [[noreturn]] void refuse_sign() const {
    if (text_[place_] == '=') refuse("`=` is not a comparison; write `==`", place_ + 1, at_);
    refuse(fmt::format("`{}` does not belong in an expression", canon::printable(text_.substr(place_, 1))), place_ + 1,
           at_);
  }

  [[nodiscard]] Token start(Sign sign) const {
    Token token;
    token.sign = sign;
    token.column = place_ + 1;
    return token;
  }

  std::string_view text_;
  const std::string& at_;
  std::size_t place_ = 0;
};

}  // namespace

void refuse(const std::string& what, std::size_t column, const std::string& at, std::string_view reason) {
  const std::string where =
      at.empty() ? fmt::format("column {}", column) : fmt::format("{}, column {} of the expression", at, column);
  throw fault::Error(fault::Code::pack_invalid, reason, what, where);
}

std::vector<Token> tokenise(std::string_view text, const std::string& at) {
  if (text.size() > kMaxText)
    refuse(fmt::format("the expression has {} bytes, {} are allowed", text.size(), kMaxText), 1, at);
  if (!canon::is_utf8(text)) refuse("the expression is not UTF-8 text", 1, at);
  return Reader(text, at).all();
}

}  // namespace stella::expression
