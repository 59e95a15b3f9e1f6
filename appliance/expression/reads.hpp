// SPDX-License-Identifier: Apache-2.0
// What an expression reads of its context, found without evaluating it. Any thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/expression/node.hpp"

namespace stella::expression {

// Each path stands for the value there with all that is inside it. Never too little; too much where a value goes
// through a list, an object or a function.
struct Reads {
  std::vector<std::vector<std::string>> paths;  // in reading order, each once, never an empty one
  bool everything = false;                      // the context itself: `@`, `*`
};
[[nodiscard]] Reads reads_of(const Node& root);

}  // namespace stella::expression
