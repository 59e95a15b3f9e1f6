// SPDX-License-Identifier: Apache-2.0
// Regular expressions of ECMA-262 (u flag) on RE2. What RE2 cannot do (look-around, back-references) is refused by name
// and place; so are inline flags. More lenient than ECMA-262 in one thing: a lone `{`, `}` or `]` and an escaped
// punctuation mark mean themselves. One thread for Patterns, any for Pattern.
// Limits: 8 KiB a pattern, 1 MiB to run one; 24 MiB and 40,000 instructions for all of a schema; repeats up to 1,000.
// Source: ECMA-262 2020 section 21.2.1; RE2 2022-06-01, doc/syntax.txt.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stella::schema {

// Why a pattern cannot be used, with the place in it.
class PatternError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The same expression in RE2's syntax; throws PatternError. RE2 may still refuse it.
[[nodiscard]] std::string translate_pattern(std::string_view pattern);

class Pattern {
 public:
  Pattern(std::string_view source, std::size_t memory);  // throws PatternError
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern();
  [[nodiscard]] bool is_too_large() const;                  // for `memory`; then it matches nothing
  [[nodiscard]] bool matches(std::string_view text) const;  // anywhere in the text
  [[nodiscard]] std::size_t weight() const;                 // instructions: the worst time for one byte of text
  [[nodiscard]] const std::string& source() const { return source_; }

 private:
  struct Machine;
  std::string source_;
  std::unique_ptr<Machine> machine_;
};

// Compiles each pattern once, with as little memory as it needs, and all of them within the limit.
class Patterns {
 public:
  const Pattern& get(const std::string& source);  // throws PatternError

 private:
  std::map<std::string, std::unique_ptr<Pattern>> known_;
  std::size_t memory_ = 0, instructions_ = 0;
};

}  // namespace stella::schema
