// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/parser.hpp"

#include <fmt/format.h>

#include "bundles/canon/fields.hpp"

namespace stella::expression {
namespace {

constexpr int kMaxNodes = 1000, kMaxNesting = 50;

// Binding powers as in jmespath.py: `!` binds tighter than `.`, which is why `!a.b` is refused below.
int power(Sign sign) {
  switch (sign) {
    case Sign::either:
      return 2;
    case Sign::both:
      return 3;
    case Sign::equal:
    case Sign::unequal:
    case Sign::less:
    case Sign::at_most:
    case Sign::greater:
    case Sign::at_least:
      return 5;
    case Sign::dot:
      return 40;
    case Sign::open_bracket:
      return 55;
    case Sign::open_paren:
      return 60;
    default:
      return 0;
  }
}
constexpr int kNegationPower = 45;

Comparison comparison_of(Sign sign) {
  switch (sign) {
    case Sign::equal:
      return Comparison::equal;
    case Sign::unequal:
      return Comparison::unequal;
    case Sign::less:
      return Comparison::less;
    case Sign::at_most:
      return Comparison::at_most;
    case Sign::greater:
      return Comparison::greater;
    default:
      return Comparison::at_least;
  }
}

using Pointer = std::unique_ptr<Node>;

class Parser {
 public:
  Parser(const std::vector<Token>& tokens, const std::string& at) : tokens_(tokens), at_(at) {}

  Pointer all() {
    Pointer node = expression(0);
    if (here().sign != Sign::end) unexpected();
    return node;
  }

 private:
  [[nodiscard]] const Token& here() const { return tokens_[place_]; }
  const Token& take() { return tokens_[place_++]; }

  [[noreturn]] void unexpected() const {
    if (here().sign == Sign::end) refuse("the expression ends too early", here().column, at_);
    refuse(fmt::format("`{}` does not belong here", canon::printable(here().text, 60)), here().column, at_);
  }

  Pointer make(Form form) {
    if (++nodes_ > kMaxNodes) refuse(fmt::format("more than {} parts", kMaxNodes), here().column, at_);
    auto node = std::make_unique<Node>();
    node->form = form;
    return node;
  }

  Pointer expression(int outer_power) {
    if (++nesting_ > kMaxNesting) refuse(fmt::format("nested deeper than {} levels", kMaxNesting), here().column, at_);
    Pointer left = first();
    while (outer_power < power(here().sign)) left = rest(std::move(left));
    --nesting_;
    return left;
  }

  Pointer first() {
    switch (here().sign) {
      case Sign::name:
        return field(nullptr);
      case Sign::literal: {
        Pointer node = make(Form::literal);
        node->value = take().value;
        return node;
      }
      case Sign::negation:
        return negation();
      case Sign::open_paren: {
        take();
        Pointer node = expression(0);
        if (here().sign != Sign::close_paren) unexpected();
        take();
        return node;
      }
      case Sign::open_bracket:
        return bracket(nullptr);
      case Sign::number:
        refuse("a number is written in backticks, as in `5`", here().column, at_);
      default:
        unexpected();
    }
  }

  Pointer rest(Pointer left) {
    const Sign sign = here().sign;
    if (sign == Sign::dot) {
      take();
      return after_dot(std::move(left));
    }
    if (sign == Sign::open_bracket) return bracket(std::move(left));
    if (sign == Sign::open_paren) refuse("only a function's name stands before `(`", here().column, at_);
    take();
    Pointer node = make(sign == Sign::either ? Form::either : sign == Sign::both ? Form::both : Form::comparison);
    node->comparison = comparison_of(sign);
    node->children.push_back(std::move(left));
    node->children.push_back(expression(power(sign)));
    return node;
  }

  Pointer field(Pointer from) {
    const Token& name = take();
    if (here().sign == Sign::open_paren && !name.quoted)
      refuse(fmt::format("{}(): functions come with a later version", canon::printable(name.text, 60)), name.column,
             at_, "expression-function");
    Pointer node = make(Form::field);
    node->name = name.text;
    if (from) node->children.push_back(std::move(from));
    return node;
  }

  Pointer after_dot(Pointer left) {
    if (here().sign == Sign::open_bracket)
      refuse("`.[`: a multi-select comes with a later version", here().column, at_);
    if (here().sign != Sign::name) unexpected();
    return field(std::move(left));
  }

  Pointer bracket(Pointer from) {
    const std::size_t column = take().column;
    if (here().sign == Sign::close_bracket) refuse("`[]`: a projection comes with a later version", column, at_);
    if (here().sign != Sign::number)
      refuse("`[`: only an index is read here; a multi-select comes with a later version", column, at_);
    Pointer node = make(Form::index);
    node->index = take().number;
    if (here().sign != Sign::close_bracket) unexpected();
    take();
    if (from) node->children.push_back(std::move(from));
    return node;
  }

  Pointer negation() {
    take();
    Pointer node = make(Form::negation);
    node->children.push_back(expression(kNegationPower));
    if (here().sign == Sign::dot)  // (!a).b, the language's own reading, is always null and never what was meant
      refuse("`!` binds tighter than `.`; write !(a.b)", here().column, at_);
    return node;
  }

  const std::vector<Token>& tokens_;
  const std::string& at_;
  std::size_t place_ = 0;
  int nodes_ = 0, nesting_ = 0;
};

}  // namespace

std::unique_ptr<const Node> parse_nodes(const std::vector<Token>& tokens, const std::string& at) {
  return Parser(tokens, at).all();
}

}  // namespace stella::expression
