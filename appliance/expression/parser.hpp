// SPDX-License-Identifier: Apache-2.0
// Tokens to nodes, with the binding powers of the reference implementation. Any thread.
// Limits: 1,000 nodes, 50 levels inside brackets of any kind, 250 levels of nodes (each projection is one).
// Errors: expression-syntax; expression-function for a name that is no function's, or a wrong number of arguments.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "appliance/expression/node.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {

[[nodiscard]] std::unique_ptr<const Node> parse_nodes(const std::vector<Token>& tokens, const std::string& at);

}  // namespace stella::expression
