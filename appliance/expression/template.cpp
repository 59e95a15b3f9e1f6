// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "appliance/expression/expression.hpp"
#include "appliance/expression/meter.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {
namespace {

constexpr std::size_t kMaxTemplate = std::size_t{64} << 10, kMaxHoles = 100;

// Where the hole that begins at `start` ends: the first `}}` outside quotes and braces, which an expression may hold.
std::size_t end_of_hole(std::string_view text, std::size_t start, const std::string& at) {
  char quote = 0;
  std::size_t braces = 0;
  for (std::size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == '{') {
      ++braces;
    } else if (c == '}' && braces > 0) {
      --braces;
    } else if (text.substr(i).starts_with("}}")) {
      return i;
    }
  }
  refuse("the hole `${{` that begins here does not end with `}}`", start - 2, at);
}

}  // namespace

std::string text_of(const canon::Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : canon::canonical(value);
}

Template Template::parse(std::string_view text, const std::string& at) {
  if (text.size() > kMaxTemplate)
    refuse(fmt::format("the text has {} bytes, {} are allowed", text.size(), kMaxTemplate), 1, at);
  Template made;
  made.at_ = at;
  std::size_t holes = 0;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t hole = text.find("${{", place);
    if (hole != place)
      made.pieces_.push_back({std::string(text.substr(place, hole == text.npos ? hole : hole - place)), nullptr});
    if (hole == text.npos) break;
    const std::size_t start = hole + 3, end = end_of_hole(text, start, at);
    if (++holes > kMaxHoles) refuse(fmt::format("more than {} holes", kMaxHoles), hole + 1, at);
    made.pieces_.push_back({{}, std::make_shared<Expression>(Expression::parse(text.substr(start, end - start), at))});
    place = end + 2;
  }
  return made;
}

bool Template::has_holes() const noexcept {
  for (const Piece& piece : pieces_)
    if (piece.hole) return true;
  return false;
}

std::vector<std::vector<std::string>> Template::names() const {
  std::vector<std::vector<std::string>> all;
  for (const Piece& piece : pieces_)
    if (piece.hole)
      for (const auto& name : piece.hole->names()) all.push_back(name);
  return all;
}

bool Template::reads_everything() const noexcept {
  return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.hole && piece.hole->reads_everything(); });
}

canon::Json Template::evaluate(const canon::Json& context) const {
  if (pieces_.size() == 1 && pieces_.front().hole) return pieces_.front().hole->evaluate(context);
  std::string out;
  for (const Piece& piece : pieces_) {
    out += piece.hole ? text_of(piece.hole->evaluate(context)) : piece.text;
    if (out.size() > kMaxResult)
      refuse(fmt::format("the text has more than {} bytes once its holes are filled", kMaxResult), 1, at_,
             "expression-budget");
  }
  return out;
}

}  // namespace stella::expression
