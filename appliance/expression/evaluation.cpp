// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/evaluation.hpp"

#include <algorithm>

#include "appliance/expression/expression.hpp"
#include "appliance/expression/function.hpp"
#include "appliance/expression/token.hpp"

namespace stella::expression {
namespace {

constexpr std::size_t kMadeSize = 64;  // a value and the block of what it holds

const canon::Json kNothing = nullptr, kTrue = true, kFalse = false;

Value seen(const canon::Json& value) {
  return {&value, nullptr};
}

Value field(const canon::Json& value, const std::string& name) {
  if (!value.is_object()) return Evaluation::null();
  const auto found = value.find(name);
  return found == value.end() ? Evaluation::null() : seen(*found);
}

Value element(const canon::Json& value, long index) {
  if (!value.is_array()) return Evaluation::null();
  const long size = static_cast<long>(value.size());
  const long place = index < 0 ? size + index : index;
  return place < 0 || place >= size ? Evaluation::null() : seen(value[static_cast<std::size_t>(place)]);
}

// Where a slice's end lies on a list of `size`; walking backwards, one before the first is a place too.
long bound(long given, long size, long step) {
  if (given < 0) given += size;
  return step > 0 ? std::clamp(given, 0L, size) : std::clamp(given, -1L, size - 1);
}

}  // namespace

Value Evaluation::null() {
  return seen(kNothing);
}
Value Evaluation::truth(bool value) {
  return seen(value ? kTrue : kFalse);
}

void Evaluation::rewind(Mark mark, Costs costs) {
  while (made_.size() > mark.made) made_.pop_back();
  if (costs == Costs::forget) meter_.give_back(mark.memory);
}

Value Evaluation::make(canon::Json value) {
  meter_.memory(kMadeSize);
  canon::Json& place = made_.emplace_back(std::move(value));
  return {&place, &place};
}

canon::Json Evaluation::take(Value value) {
  if (value.own != nullptr) return std::move(*value.own);
  meter_.copy(*value);
  return *value;
}

Value Evaluation::of(const Node& node, const canon::Json& current) {
  meter_.step();
  switch (node.form) {
    case Form::current:
      return seen(current);
    case Form::field:
      return field(current, node.name);
    case Form::index:
      return element(current, node.index);
    case Form::literal:
      return seen(node.value);
    case Form::chain:
      return chain(node, current);
    case Form::projection:
      return project(node, current);
    case Form::values:
      return project_values(node, current);
    case Form::filter:
      return filter(node, current);
    case Form::flatten:
      return flatten(node, current);
    case Form::slice:
      return slice(node, current);
    case Form::either:
    case Form::both: {
      Value value = of(*node.children[0], current);
      for (std::size_t i = 1; i < node.children.size() && is_true(*value) == (node.form == Form::both); ++i)
        value = of(*node.children[i], current);
      return value;
    }
    case Form::negation:
      return truth(!is_true(*of(*node.children[0], current)));
    case Form::comparison: {
      const Value left = of(*node.children[0], current), right = of(*node.children[1], current);
      return compare(node.comparison, *left, *right);
    }
    case Form::list:
      return list(node, current);
    case Form::object:
      return object(node, current);
    case Form::call:
      return call(node, current);
    case Form::reference:  // only an argument, which call() reads
      break;
  }
  return null();
}

Value Evaluation::chain(const Node& node, const canon::Json& current) {
  Value value = seen(current);
  for (const auto& child : node.children) value = of(*child, *value);
  return value;
}

void Evaluation::collect(const Node& each, const canon::Json& element, canon::Json& into) {
  meter_.step();
  const Mark before = mark();
  const Value value = of(each, element);
  if ((*value).is_null()) return rewind(before, Costs::forget);
  meter_.memory(sizeof(canon::Json));
  into.push_back(take(value));
  rewind(before, Costs::keep);
}

Value Evaluation::project(const Node& node, const canon::Json& current) {
  const Value base = of(*node.children[0], current);
  if (!(*base).is_array()) return null();
  canon::Json all = canon::Json::array();
  for (const auto& element : *base) collect(*node.children[1], element, all);
  return make(std::move(all));
}

Value Evaluation::project_values(const Node& node, const canon::Json& current) {
  const Value base = of(*node.children[0], current);
  if (!(*base).is_object()) return null();
  canon::Json all = canon::Json::array();
  for (const auto& element : *base) collect(*node.children[1], element, all);
  return make(std::move(all));
}

Value Evaluation::filter(const Node& node, const canon::Json& current) {
  const Value base = of(*node.children[0], current);
  if (!(*base).is_array()) return null();
  canon::Json all = canon::Json::array();
  for (const auto& element : *base) {
    const Mark before = mark();
    const bool wanted = is_true(*of(*node.children[1], element));
    rewind(before, Costs::forget);
    if (wanted) collect(*node.children[2], element, all);
  }
  return make(std::move(all));
}

Value Evaluation::flatten(const Node& node, const canon::Json& current) {
  const Value base = of(*node.children[0], current);
  if (!(*base).is_array()) return null();
  canon::Json all = canon::Json::array();
  for (const auto& element : *base) {
    if (!element.is_array()) {
      collect(*node.children[1], element, all);
      continue;
    }
    meter_.step();
    for (const auto& inside : element) collect(*node.children[1], inside, all);
  }
  return make(std::move(all));
}

Value Evaluation::slice(const Node& node, const canon::Json& current) {
  const Value base = of(*node.children[0], current);
  if (!(*base).is_array()) return null();
  const long step = node.slice.step.value_or(1), size = static_cast<long>((*base).size());
  if (step == 0) refuse("a slice's step cannot be 0", node.column, at_, "expression-value");
  const long start = node.slice.start ? bound(*node.slice.start, size, step) : step > 0 ? 0 : size - 1;
  const long stop = node.slice.stop ? bound(*node.slice.stop, size, step) : step > 0 ? size : -1;
  canon::Json part = canon::Json::array();
  for (long i = start; step > 0 ? i < stop : i > stop; i += step)
    collect(*node.children[1], (*base)[static_cast<std::size_t>(i)], part);
  return make(std::move(part));
}

// Order is defined for numbers only; anything else gives null (specification, "Ordering Operators").
Value Evaluation::compare(Comparison how, const canon::Json& left, const canon::Json& right) {
  if (how == Comparison::equal) return truth(same(left, right));
  if (how == Comparison::unequal) return truth(!same(left, right));
  if (!left.is_number() || !right.is_number()) return null();
  switch (how) {
    case Comparison::less:
      return truth(left < right);
    case Comparison::at_most:
      return truth(left <= right);
    case Comparison::greater:
      return truth(left > right);
    default:
      return truth(left >= right);
  }
}

bool Evaluation::same(const canon::Json& left, const canon::Json& right) {
  meter_.step();
  if (left.is_string() && right.is_string()) meter_.text(right.get_ref<const std::string&>().size());
  if (!left.is_structured() || left.type() != right.type()) return left == right;
  if (left.size() != right.size()) return false;
  if (left.is_array()) {
    for (std::size_t i = 0; i < left.size(); ++i)
      if (!same(left[i], right[i])) return false;
    return true;
  }
  auto other = right.begin();
  for (auto member = left.begin(); member != left.end(); ++member, ++other) {
    meter_.text(member.key().size());
    if (member.key() != other.key() || !same(*member, *other)) return false;
  }
  return true;
}

Value Evaluation::list(const Node& node, const canon::Json& current) {
  if (current.is_null()) return null();
  canon::Json all = canon::Json::array();
  for (const auto& child : node.children) {
    meter_.memory(sizeof(canon::Json));
    all.push_back(take(of(*child, current)));
  }
  return make(std::move(all));
}

Value Evaluation::object(const Node& node, const canon::Json& current) {
  if (current.is_null()) return null();
  canon::Json all = canon::Json::object();
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    meter_.memory(128 + node.keys[i].size());
    all[node.keys[i]] = take(of(*node.children[i], current));
  }
  return make(std::move(all));
}

Value Evaluation::call(const Node& node, const canon::Json& current) {
  std::vector<Argument> arguments;
  for (const auto& child : node.children) {
    if (child->form == Form::reference)
      arguments.push_back({null(), child->children[0].get()});
    else
      arguments.push_back({of(*child, current), nullptr});
  }
  const Call call(*this, node, std::move(arguments));
  call.check_types();
  return node.function->act(call);
}

}  // namespace stella::expression
