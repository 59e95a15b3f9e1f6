// SPDX-License-Identifier: Apache-2.0
// JMESPath, the part that plans need now: fields, indexes, comparisons, and/or/not, parentheses, literals (raw strings,
// JSON in backticks). Everything else of the language is refused by name, and so is `!a.b`, which the language reads as
// (!a).b, always null. Limits: 4 KiB, 1,000 parts, 50 levels. Immutable after parse; any thread.
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
  // ERR_PACK_INVALID, reason expression-syntax (or expression-function for a call), at `at` with the column in it.
  static Expression parse(std::string_view text, const std::string& at);
  [[nodiscard]] canon::Json evaluate(const canon::Json& context) const;
  // The dotted roots it reads, e.g. {"inputs","cell"}, {"steps","check","outputs","ready"}: for name checks at plan
  // time.
  [[nodiscard]] std::vector<std::vector<std::string>> names() const;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
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
  // A template that is exactly one hole keeps the value's type; else text (strings as they are, null as nothing, others
  // as JSON). `}}` within a hole's quotes does not end it. Limits: 64 KiB, 100 holes.
  [[nodiscard]] canon::Json evaluate(const canon::Json& context) const;

 private:
  struct Piece {
    std::string text;
    std::shared_ptr<Expression> hole;
  };
  std::vector<Piece> pieces_;
};

}  // namespace stella::expression
