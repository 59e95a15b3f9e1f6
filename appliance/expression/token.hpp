// SPDX-License-Identifier: Apache-2.0
// The words of an expression, each with its column (from 1, in bytes). Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::expression {

enum class Sign {
  name,
  literal,
  number,
  dot,
  star,
  current,
  reference,
  pipe,
  comma,
  colon,
  open_bracket,
  close_bracket,
  flatten,  // []
  filter,   // [?
  open_paren,
  close_paren,
  open_brace,
  close_brace,
  either,
  both,
  negation,
  equal,
  unequal,
  less,
  at_most,
  greater,
  at_least,
  end
};

struct Token {
  Sign sign = Sign::end;
  std::string text;   // as written, for messages; a name's own spelling
  canon::Json value;  // literal
  long number = 0;    // beyond what any list holds, it stands at that end
  std::size_t column = 0;
  bool quoted = false;  // a name in double quotes: never a function
};

inline constexpr std::size_t kMaxText = 4096;  // bytes

// Throws ERR_PACK_INVALID, reason expression-syntax, at `at` with the column.
[[nodiscard]] std::vector<Token> tokenise(std::string_view text, const std::string& at);
[[noreturn]] void refuse(const std::string& what, std::size_t column, const std::string& at,
                         std::string_view reason = "expression-syntax");

}  // namespace stella::expression
