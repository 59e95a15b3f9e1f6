// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/function.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "appliance/expression/token.hpp"

namespace stella::expression {
namespace {

constexpr unsigned kSortable = kNumbers | kStrings;

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"abs", {kNumber}, false, act_abs},
      {"avg", {kNumbers}, false, act_avg},
      {"ceil", {kNumber}, false, act_ceil},
      {"contains", {kArray | kString, kAny}, false, act_contains},
      {"ends_with", {kString, kString}, false, act_ends_with},
      {"floor", {kNumber}, false, act_floor},
      {"join", {kString, kStrings}, false, act_join},
      {"keys", {kObject}, false, act_keys},
      {"length", {kString | kArray | kObject}, false, act_length},
      {"map", {kReference, kArray}, false, act_map},
      {"max", {kSortable}, false, act_max},
      {"max_by", {kArray, kReference}, false, act_max_by},
      {"merge", {kObject}, true, act_merge},
      {"min", {kSortable}, false, act_min},
      {"min_by", {kArray, kReference}, false, act_min_by},
      {"not_null", {kAny}, true, act_not_null},
      {"reverse", {kArray | kString}, false, act_reverse},
      {"sort", {kSortable}, false, act_sort},
      {"sort_by", {kArray, kReference}, false, act_sort_by},
      {"starts_with", {kString, kString}, false, act_starts_with},
      {"sum", {kNumbers}, false, act_sum},
      {"to_array", {kAny}, false, act_to_array},
      {"to_number", {kAny}, false, act_to_number},
      {"to_string", {kAny}, false, act_to_string},
      {"type", {kAny}, false, act_type},
      {"values", {kObject}, false, act_values},
  };
  return all;
}

Kind kind_of(const canon::Json& value) {
  switch (value.type()) {
    case canon::Json::value_t::null:
      return kNull;
    case canon::Json::value_t::boolean:
      return kBoolean;
    case canon::Json::value_t::string:
      return kString;
    case canon::Json::value_t::array:
      return kArray;
    case canon::Json::value_t::object:
      return kObject;
    default:
      return kNumber;
  }
}

std::string kinds_text(unsigned kinds) {
  static constexpr std::array<std::pair<unsigned, std::string_view>, 9> kTexts = {
      {{kNumber, "a number"},
       {kString, "a string"},
       {kBoolean, "a boolean"},
       {kArray, "an array"},
       {kObject, "an object"},
       {kNull, "null"},
       {kNumbers, "an array of numbers"},
       {kStrings, "an array of strings"},
       {kReference, "an expression with `&`"}}};
  if (kinds == kAny) return "a value";
  std::vector<std::string_view> parts;
  for (const auto& [kind, text] : kTexts)
    if ((kinds & kind) != 0) parts.push_back(text);
  return fmt::format("{}", fmt::join(parts, " or "));
}

bool holds_only(const canon::Json& list, Kind kind) {
  return std::ranges::all_of(list, [kind](const canon::Json& element) { return kind_of(element) == kind; });
}

bool fits(const canon::Json& value, unsigned kinds) {
  if ((kinds & kind_of(value)) != 0) return true;
  if (!value.is_array()) return false;
  return ((kinds & kNumbers) != 0 && holds_only(value, kNumber)) ||
         ((kinds & kStrings) != 0 && holds_only(value, kString));
}

std::string found_text(const Argument& argument) {
  if (argument.reference != nullptr) return "an expression with `&`";
  const canon::Json& value = *argument.value;
  if (value.is_array() && !value.empty())
    return fmt::format("an array that begins with {}", kinds_text(kind_of(value[0])));
  return kinds_text(kind_of(value));
}

}  // namespace

std::string_view kind_name(const canon::Json& value) {
  switch (kind_of(value)) {
    case kNull:
      return "null";
    case kBoolean:
      return "boolean";
    case kString:
      return "string";
    case kArray:
      return "array";
    case kObject:
      return "object";
    default:
      return "number";
  }
}

void Call::check_types() const {
  const auto& parameters = node_.function->parameters;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    const unsigned wanted = parameters[std::min(i, parameters.size() - 1)];
    const Argument& argument = arguments_[i];
    if (argument.reference == nullptr && (*argument.value).is_array()) meter().step((*argument.value).size());
    const bool good = argument.reference != nullptr ? wanted == kReference : fits(*argument.value, wanted);
    if (!good)
      refuse_type(fmt::format("argument {} is {}, it takes {}", i + 1, found_text(argument), kinds_text(wanted)));
  }
}

void Call::refuse_type(const std::string& what) const {
  refuse(fmt::format("{}(): {}", node_.name, what), node_.column, evaluation_.at(), "expression-type");
}

void Call::refuse_value(const std::string& what) const {
  refuse(fmt::format("{}(): {}", node_.name, what), node_.column, evaluation_.at(), "expression-value");
}

const Function* find_function(std::string_view name) {
  const auto found = std::ranges::find(functions(), name, &Function::name);
  return found == functions().end() ? nullptr : &*found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& function : functions()) names.emplace_back(function.name);
  return names;
}

bool takes(const Function& function, std::size_t arguments) {
  const std::size_t wanted = function.parameters.size();
  return function.takes_more ? arguments >= wanted : arguments == wanted;
}

std::string arity_text(const Function& function) {
  const std::size_t wanted = function.parameters.size();
  return fmt::format("{}{} argument{}", function.takes_more ? "at least " : "", wanted, wanted == 1 ? "" : "s");
}

}  // namespace stella::expression
