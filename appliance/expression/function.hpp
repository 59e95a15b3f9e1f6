// SPDX-License-Identifier: Apache-2.0
// The functions of the language: names, parameters, deeds. The table is constant; any thread.
// Source: specification, "Built-in Functions"
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/expression/evaluation.hpp"

namespace stella::expression {

// What a parameter takes: one or several of these.
enum Kind : unsigned {
  kNumber = 1U,
  kString = 2U,
  kBoolean = 4U,
  kArray = 8U,
  kObject = 16U,
  kNull = 32U,
  kNumbers = 64U,    // an array of numbers only
  kStrings = 128U,   // an array of strings only
  kReference = 256U  // &expression
};
inline constexpr unsigned kAny = kNumber | kString | kBoolean | kArray | kObject | kNull;

struct Argument {
  Value value;                      // of a reference: none
  const Node* reference = nullptr;  // &expression: the expression
};

// A call while it is evaluated.
class Call {
 public:
  Call(Evaluation& evaluation, const Node& node, std::vector<Argument> arguments)
      : evaluation_(evaluation), node_(node), arguments_(std::move(arguments)) {}

  [[nodiscard]] Evaluation& evaluation() const { return evaluation_; }
  [[nodiscard]] Meter& meter() const { return evaluation_.meter(); }
  [[nodiscard]] std::size_t count() const { return arguments_.size(); }
  [[nodiscard]] Value value(std::size_t index) const { return arguments_[index].value; }
  [[nodiscard]] const canon::Json& json(std::size_t index) const { return *arguments_[index].value.seen; }
  [[nodiscard]] const std::string& text(std::size_t index) const { return json(index).get_ref<const std::string&>(); }
  [[nodiscard]] const Node& reference(std::size_t index) const { return *arguments_[index].reference; }

  void check_types() const;  // reason expression-type
  [[noreturn]] void refuse_type(const std::string& what) const;
  [[noreturn]] void refuse_value(const std::string& what) const;  // reason expression-value

 private:
  Evaluation& evaluation_;
  const Node& node_;
  std::vector<Argument> arguments_;
};

struct Function {
  std::string_view name;
  std::vector<unsigned> parameters;
  bool takes_more = false;  // the last parameter again and again
  Value (*act)(const Call&) = nullptr;
};

[[nodiscard]] const Function* find_function(std::string_view name);
[[nodiscard]] std::vector<std::string> function_names();
[[nodiscard]] bool takes(const Function& function, std::size_t arguments);
[[nodiscard]] std::string arity_text(const Function& function);  // "2 arguments", "at least 1 argument"
// number string boolean array object null
[[nodiscard]] std::string_view kind_name(const canon::Json& value);

// The deeds, by what they work on.
Value act_abs(const Call&);
Value act_avg(const Call&);
Value act_ceil(const Call&);
Value act_floor(const Call&);
Value act_sum(const Call&);
Value act_to_number(const Call&);

Value act_contains(const Call&);
Value act_ends_with(const Call&);
Value act_join(const Call&);
Value act_length(const Call&);
Value act_reverse(const Call&);
Value act_starts_with(const Call&);
Value act_to_string(const Call&);

Value act_keys(const Call&);
Value act_map(const Call&);
Value act_merge(const Call&);
Value act_not_null(const Call&);
Value act_to_array(const Call&);
Value act_type(const Call&);
Value act_values(const Call&);

Value act_max(const Call&);
Value act_max_by(const Call&);
Value act_min(const Call&);
Value act_min_by(const Call&);
Value act_sort(const Call&);
Value act_sort_by(const Call&);

}  // namespace stella::expression
