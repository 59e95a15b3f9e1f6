// SPDX-License-Identifier: Apache-2.0
// What is known when a step is written, and filling it in: the inputs and the iterators of the turns around. One
// thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "appliance/expression/expression.hpp"
#include "appliance/plan/plan.hpp"

namespace stella::plan {

class Known {
 public:
  // Values that cannot be used are `code` at what is being written. `inputs` must outlive this.
  Known(const canon::Json& inputs, fault::Code code) : inputs_(inputs), code_(code) {}
  void enter(const Turn& turn);  // its iterators, not those around it
  void leave(const Turn& turn);

  // The text with its holes filled when they read nothing but what is known; else the template itself, open. Reason
  // `nul` or `size` for a value that no argument can hold.
  [[nodiscard]] Word fill(const std::string& text, const std::string& at);
  // The value of an expression, or whether it holds; nullopt when only the run can tell.
  [[nodiscard]] std::optional<canon::Json> value(const std::string& expression, const std::string& at);
  [[nodiscard]] std::optional<bool> decide(const std::string& expression, const std::string& at);
  [[nodiscard]] fault::Code code() const noexcept { return code_; }

 private:
  [[nodiscard]] bool has(const Names& names);
  const canon::Json& inputs_;
  fault::Code code_;
  canon::Json context_ = {{"inputs", canon::Json::object()}};        // inputs as they are asked for
  std::unordered_map<std::string, expression::Template> templates_;  // a map writes the same text for every turn
  std::unordered_map<std::string, expression::Expression> expressions_;
};

// The text of a value as an argument. Throws `code`, reason `nul` or `size`.
[[nodiscard]] std::string argument(const canon::Json& value, fault::Code code, const std::string& at);

inline constexpr std::size_t kMaxWord = 131071;  // bytes; Linux's MAX_ARG_STRLEN less its NUL

}  // namespace stella::plan
