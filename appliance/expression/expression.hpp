// SPDX-License-Identifier: Apache-2.0
// JMESPath, whole. It agrees with python3-jmespath 1.0.1 but for what docs/expressions.md lists, where the
// specification is followed instead. Immutable after parse; any thread.
// Limits: text of 4 KiB, 1,000 parts, 50 levels of brackets; each evaluation 500,000 steps, 16 MiB of values made on
// the way, a result of 4 MiB as JSON and 64 levels.
// Errors: ERR_PACK_INVALID at the `at` of parse(), mostly with the column in it; reason
//   expression-syntax    parse: it is not well written, or too long
//   expression-function  parse: no such function, or a wrong number of arguments
//   expression-type      evaluate: a function was given a value of another type
//   expression-value     evaluate: a slice's step is 0, a number has no finite result
//   expression-budget    evaluate: a limit was reached
// Source: https://jmespath.org/specification.html
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::expression {

struct Node;
class Expression {
 public:
  static Expression parse(std::string_view text, const std::string& at);
  // The context is looked at in place; only the result is copied.
  [[nodiscard]] canon::Json evaluate(const canon::Json& context) const;
  // The paths of the context that it reads, e.g. {"inputs","cell"}, {"steps","check","outputs","ready"}; each with all
  // that is inside. A context that holds these paths alone gives the same result, unless it reads everything.
  [[nodiscard]] const std::vector<std::vector<std::string>>& names() const noexcept { return names_; }
  // It reads the context itself, by `@`, `*` or the like: names() says only what it reads besides.
  [[nodiscard]] bool reads_everything() const noexcept { return reads_everything_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_, at_;
  std::shared_ptr<const Node> root_;
  std::vector<std::vector<std::string>> names_;
  bool reads_everything_ = false;
};
// JMESPath truth: false, null, "", [] and {} are false.
[[nodiscard]] bool is_true(const canon::Json& value);
// A value as text: strings as they are, null as nothing, others as JSON.
[[nodiscard]] std::string text_of(const canon::Json& value);

// Text with `${{ expression }}` holes.
class Template {
 public:
  static Template parse(std::string_view text, const std::string& at);
  [[nodiscard]] bool has_holes() const noexcept;
  [[nodiscard]] std::vector<std::vector<std::string>> names() const;
  [[nodiscard]] bool reads_everything() const noexcept;
  // A template that is exactly one hole keeps the value's type; else text (strings as they are, null as nothing, others
  // as JSON), at most 4 MiB. `}}` within a hole's quotes or braces does not end it. Limits: 64 KiB, 100 holes.
  [[nodiscard]] canon::Json evaluate(const canon::Json& context) const;

 private:
  struct Piece {
    std::string text;
    std::shared_ptr<Expression> hole;
  };
  std::string at_;
  std::vector<Piece> pieces_;
};

}  // namespace stella::expression
