// SPDX-License-Identifier: Apache-2.0
// Tokens to nodes, with the binding powers of the reference implementation. Any thread.
// Limits: 1,000 nodes, 50 levels of nesting.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "appliance/expression/node.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {

[[nodiscard]] std::unique_ptr<const Node> parse_nodes(const std::vector<Token>& tokens, const std::string& at);

}  // namespace stella::expression
