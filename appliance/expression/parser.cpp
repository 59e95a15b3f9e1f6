// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "appliance/expression/function.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::expression {
namespace {

constexpr int kMaxNodes = 1000, kMaxNesting = 50, kMaxHeight = 250;

// Binding powers as in jmespath.py: `!` binds tighter than `.`, so `!a.b` is (!a).b, which is always null.
int power(Sign sign) {
  switch (sign) {
    case Sign::pipe:
      return 1;
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
    case Sign::flatten:
      return 9;
    case Sign::star:
      return 20;
    case Sign::filter:
      return 21;
    case Sign::dot:
      return 40;
    case Sign::negation:
      return 45;
    case Sign::open_brace:
      return 50;
    case Sign::open_bracket:
      return 55;
    case Sign::open_paren:
      return 60;
    default:
      return 0;
  }
}
constexpr int kProjectionStop = 10;  // what binds looser ends a projection

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
    if (wrong_call_) refuse(wrong_call_->what, wrong_call_->column, at_, "expression-function");
    return node;
  }

 private:
  struct WrongCall {
    std::string what;
    std::size_t column;
  };

  [[nodiscard]] const Token& here() const { return tokens_[place_]; }
  [[nodiscard]] Sign next() const { return tokens_[std::min(place_ + 1, tokens_.size() - 1)].sign; }
  const Token& take() { return tokens_[place_++]; }
  bool take_if(Sign sign) {
    if (here().sign != sign) return false;
    ++place_;
    return true;
  }
  void expect(Sign sign) {
    if (!take_if(sign)) unexpected();
  }

  [[noreturn]] void unexpected() const {
    switch (here().sign) {
      case Sign::end:
        refuse("the expression ends too early", here().column, at_);
      case Sign::number:
        refuse("a number is written in backticks, as in `5`", here().column, at_);
      case Sign::reference:
        refuse("`&` stands only before a function's argument, as in sort_by(list, &name)", here().column, at_);
      default:
        refuse(fmt::format("`{}` does not belong here", canon::printable(here().text, 60)), here().column, at_);
    }
  }

  Pointer make(Form form) {
    if (++nodes_ > kMaxNodes) refuse(fmt::format("more than {} parts", kMaxNodes), here().column, at_);
    auto node = std::make_unique<Node>();
    node->form = form;
    node->column = here().column;
    return node;
  }
  void adopt(Node& parent, Pointer child) const {
    parent.height = std::max(parent.height, child->height + 1);
    if (parent.height > kMaxHeight) refuse_depth(kMaxHeight);
    parent.children.push_back(std::move(child));
  }
  [[noreturn]] void refuse_depth(int levels) const {
    refuse(fmt::format("nested deeper than {} levels", levels), here().column, at_);
  }
  template <class... Children>
  Pointer make_of(Form form, Children... children) {
    Pointer node = make(form);
    (adopt(*node, std::move(children)), ...);
    return node;
  }
  // `second` stands on what `first` gives. A chain grows at its end, so that a long path is not a deep one.
  Pointer chain(Pointer first, Pointer second) {
    if (first->form != Form::chain) return make_of(Form::chain, std::move(first), std::move(second));
    adopt(*first, std::move(second));
    return first;
  }

  // What follows binds tighter than `outer_power`.
  Pointer expression(int outer_power) {
    if (++height_ > kMaxHeight) refuse_depth(kMaxHeight);
    Pointer left = first();
    while (outer_power < power(here().sign)) left = rest(std::move(left));
    --height_;
    return left;
  }
  // One level further inside parentheses, brackets, braces, `!` or `&`.
  Pointer inner(int outer_power = 0) {
    if (++nesting_ > kMaxNesting) refuse_depth(kMaxNesting);
    Pointer node = expression(outer_power);
    --nesting_;
    return node;
  }

  Pointer first() {
    switch (here().sign) {
      case Sign::name:
        return name();
      case Sign::literal: {
        Pointer node = make(Form::literal);
        node->value = take().value;
        return node;
      }
      case Sign::current: {
        Pointer node = make(Form::current);
        take();
        return node;
      }
      case Sign::star: {
        Pointer all = make(Form::current);
        take();
        return values(std::move(all), power(Sign::star));
      }
      case Sign::negation:
        take();
        return make_of(Form::negation, inner(power(Sign::negation)));
      case Sign::open_paren: {
        take();
        Pointer node = inner();
        expect(Sign::close_paren);
        return node;
      }
      case Sign::open_brace:
        take();
        return select_object();
      case Sign::flatten:
        return flatten(make(Form::current));
      case Sign::filter:
        return filter(make(Form::current));
      case Sign::open_bracket:
        take();
        if (here().sign == Sign::number || here().sign == Sign::colon) return place_in(make(Form::current));
        if (here().sign == Sign::star && next() == Sign::close_bracket) return project_all(make(Form::current));
        return select_list();
      default:
        unexpected();
    }
  }

  Pointer rest(Pointer left) {
    const Sign sign = here().sign;
    switch (sign) {
      case Sign::dot: {
        take();
        if (take_if(Sign::star)) return values(std::move(left), power(Sign::dot));
        return chain(std::move(left), after_dot(power(Sign::dot)));
      }
      case Sign::flatten:
        return flatten(std::move(left));
      case Sign::filter:
        return filter(std::move(left));
      case Sign::open_bracket:
        take();
        if (here().sign == Sign::number || here().sign == Sign::colon) return place_in(std::move(left));
        if (here().sign != Sign::star) unexpected();
        return project_all(std::move(left));
      case Sign::open_paren:
        refuse("only a function's name stands before `(`, without quotes", here().column, at_);
      case Sign::pipe:
        take();
        return chain(std::move(left), expression(power(sign)));
      case Sign::either:
      case Sign::both:
        return choice(sign == Sign::either ? Form::either : Form::both, std::move(left));
      case Sign::star:
      case Sign::negation:
      case Sign::open_brace:
        unexpected();
      default: {
        take();
        Pointer node = make_of(Form::comparison, std::move(left), expression(power(sign)));
        node->comparison = comparison_of(sign);
        return node;
      }
    }
  }

  Pointer choice(Form form, Pointer left) {
    const Sign sign = take().sign;
    Pointer right = expression(power(sign));
    if (left->form != form) return make_of(form, std::move(left), std::move(right));
    adopt(*left, std::move(right));
    return left;
  }

  Pointer name() {
    if (next() == Sign::open_paren) {
      if (here().quoted) refuse("a function's name stands without quotes", here().column, at_);
      return call();
    }
    Pointer node = make(Form::field);
    node->name = take().text;
    return node;
  }

  Pointer after_dot(int outer_power) {
    switch (here().sign) {
      case Sign::name:
      case Sign::star:
        return expression(outer_power);
      case Sign::open_bracket:
        take();
        return select_list();
      case Sign::open_brace:
        take();
        return select_object();
      default:
        unexpected();
    }
  }

  // What is done with each element of a projection.
  Pointer each(int outer_power) {
    if (power(here().sign) < kProjectionStop) return make(Form::current);
    if (here().sign == Sign::open_bracket || here().sign == Sign::filter) return expression(outer_power);
    if (!take_if(Sign::dot)) unexpected();
    return after_dot(outer_power);
  }

  Pointer values(Pointer object, int outer_power) {
    return make_of(Form::values, std::move(object), each(outer_power));
  }
  Pointer project_all(Pointer list) {
    take();
    expect(Sign::close_bracket);
    return make_of(Form::projection, std::move(list), each(power(Sign::star)));
  }
  Pointer flatten(Pointer list) {
    take();
    return make_of(Form::flatten, std::move(list), each(power(Sign::flatten)));
  }
  Pointer filter(Pointer list) {
    take();
    Pointer condition = inner();
    expect(Sign::close_bracket);
    return make_of(Form::filter, std::move(list), std::move(condition), each(power(Sign::filter)));
  }

  // After `[`: an index, or a slice, which is a projection.
  Pointer place_in(Pointer list) {
    if (here().sign == Sign::number && next() != Sign::colon) {
      Pointer node = make(Form::index);
      node->index = take().number;
      expect(Sign::close_bracket);
      return chain(std::move(list), std::move(node));
    }
    Pointer node = make_of(Form::slice, std::move(list));
    node->slice = slice();
    adopt(*node, each(power(Sign::star)));
    return node;
  }

  Slice slice() {
    const auto number = [this]() -> std::optional<long> {
      if (here().sign != Sign::number) return std::nullopt;
      return take().number;
    };
    Slice made;
    made.start = number();
    expect(Sign::colon);
    made.stop = number();
    if (take_if(Sign::colon)) made.step = number();
    expect(Sign::close_bracket);
    return made;
  }

  Pointer select_list() {
    Pointer node = make(Form::list);
    do adopt(*node, inner());
    while (take_if(Sign::comma));
    expect(Sign::close_bracket);
    return node;
  }

  Pointer select_object() {
    Pointer node = make(Form::object);
    do {
      if (here().sign != Sign::name) unexpected();
      node->keys.push_back(take().text);
      expect(Sign::colon);
      adopt(*node, inner());
    } while (take_if(Sign::comma));
    expect(Sign::close_brace);
    return node;
  }

  Pointer call() {
    Pointer node = make(Form::call);
    node->name = take().text;
    node->function = find_function(node->name);
    take();
    if (!take_if(Sign::close_paren)) {
      do adopt(*node, argument());
      while (take_if(Sign::comma));
      expect(Sign::close_paren);
    }
    check_call(*node);
    return node;
  }

  Pointer argument() {
    if (!take_if(Sign::reference)) return inner();
    return make_of(Form::reference, inner());
  }

  // Told when the whole is known to be well written: a syntax error anywhere comes first.
  void check_call(const Node& node) {
    if (wrong_call_) return;
    if (node.function == nullptr) {
      const auto guess = canon::nearest(node.name, function_names());
      wrong_call_ = {fmt::format("there is no function {}(){}", canon::printable(node.name, 60),
                                 guess ? fmt::format(", did you mean {}()?", *guess) : ""),
                     node.column};
    } else if (!takes(*node.function, node.children.size())) {
      wrong_call_ = {
          fmt::format("{}() takes {}, here are {}", node.name, arity_text(*node.function), node.children.size()),
          node.column};
    }
  }

  const std::vector<Token>& tokens_;
  const std::string& at_;
  std::size_t place_ = 0;
  int nodes_ = 0, nesting_ = 0, height_ = 0;
  std::optional<WrongCall> wrong_call_;
};

}  // namespace

std::unique_ptr<const Node> parse_nodes(const std::vector<Token>& tokens, const std::string& at) {
  return Parser(tokens, at).all();
}

}  // namespace stella::expression
