// SPDX-License-Identifier: Apache-2.0
// The parsed form of an expression. Only this room looks inside. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::expression {

enum class Form { field, index, literal, either, both, negation, comparison };
enum class Comparison { equal, unequal, less, at_most, greater, at_least };

struct Node {
  Form form = Form::literal;
  std::string name;   // field
  long index = 0;     // index; negative counts from the end
  canon::Json value;  // literal
  Comparison comparison = Comparison::equal;
  std::vector<std::unique_ptr<const Node>> children;  // field, index: what they are read from, none: the context
};

}  // namespace stella::expression
