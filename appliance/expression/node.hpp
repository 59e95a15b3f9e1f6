// SPDX-License-Identifier: Apache-2.0
// The parsed form of an expression. Only this room looks inside. Immutable once parsed; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::expression {

// What a node makes of the value it stands on, and its children in order:
//   current     that value itself
//   field       its member `name`
//   index       its element `index`, negative from the end
//   literal     `value`, whatever it stands on
//   chain       each child stands on what the one before gave: `a.b`, `a[0]`, `a | b`
//   projection  {list, each}             `list[*].each`: nulls are left out, here and in the next four
//   values      {object, each}           `object.*.each`
//   filter      {list, condition, each}  `list[?condition].each`
//   flatten     {list, each}             `list[].each`
//   slice       {list, each}             `list[1:2].each`, by `slice`
//   either, both, negation, comparison
//   list        the children as an array; null on null
//   object      the children under `keys`; null on null
//   call        the children are the arguments of `function`
//   reference   {expression}, only as an argument
enum class Form {
  current,
  field,
  index,
  literal,
  chain,
  projection,
  values,
  filter,
  flatten,
  slice,
  either,
  both,
  negation,
  comparison,
  list,
  object,
  call,
  reference
};
enum class Comparison { equal, unequal, less, at_most, greater, at_least };

struct Slice {
  std::optional<long> start, stop, step;
};

struct Function;
struct Node {
  Form form = Form::literal;
  std::string name;
  long index = 0;
  Slice slice;
  canon::Json value;
  Comparison comparison = Comparison::equal;
  std::vector<std::string> keys;
  const Function* function = nullptr;
  std::size_t column = 0;  // of a call's name and a slice's bracket, for what is refused while evaluating
  int height = 1;          // levels of nodes from here down, this one counted
  std::vector<std::unique_ptr<const Node>> children;
};

}  // namespace stella::expression
