// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/meter.hpp"

#include <fmt/format.h>

namespace stella::expression {
namespace {

constexpr std::size_t kValue = sizeof(canon::Json);
constexpr std::size_t kText = 48;     // a string's own bytes and its allocation
constexpr std::size_t kMember = 112;  // a map's node with name and value

std::size_t written_size(const std::string& text) {
  std::size_t size = text.size() + 2;
  for (const char c : text) {
    if (c == '"' || c == '\\') size += 1;
    if (static_cast<unsigned char>(c) < 0x20) size += 5;
  }
  return size;
}

[[noreturn]] void refuse_budget(const std::string& what, const std::string& at) {
  throw fault::Error(fault::Code::pack_invalid, "expression-budget", what, at,
                     "Make the expression smaller, or do this work in a step.");
}

}  // namespace

void Meter::refuse_steps() const {
  refuse_budget(fmt::format("the expression takes more than {} steps", kMaxSteps), at_);
}

void Meter::refuse_memory() const {
  refuse_budget(fmt::format("the expression makes values of more than {} bytes", kMaxMemory), at_);
}

void Meter::copy(const canon::Json& value) {
  step();
  memory(kValue);
  if (value.is_string()) {
    const std::size_t size = value.get_ref<const std::string&>().size();
    memory(kText + size);
    step(size / 64);
  } else if (value.is_array()) {
    memory(kText);
    for (const auto& element : value) copy(element);
  } else if (value.is_object()) {
    memory(kText);
    for (const auto& [name, member] : value.get_ref<const canon::Json::object_t&>()) {
      memory(kMember + name.size());
      copy(member);
    }
  }
}

std::size_t Meter::measure(const canon::Json& value, std::size_t limit) {
  std::size_t left = limit;
  measure(value, left, 0);
  return limit - left;
}

void Meter::measure(const canon::Json& value, std::size_t& left, int depth) {
  step();
  const auto spend = [&](std::size_t bytes) {
    if (bytes > left) refuse_budget(fmt::format("the result has more than {} bytes as JSON", kMaxResult), at_);
    left -= bytes;
  };
  if (value.is_structured() && depth >= kMaxResultDepth)
    refuse_budget(fmt::format("the result is nested deeper than {} levels", kMaxResultDepth), at_);
  if (value.is_string()) {
    text(value.get_ref<const std::string&>().size());
    spend(written_size(value.get_ref<const std::string&>()));
  } else if (value.is_array()) {
    spend(2);
    for (const auto& element : value) {
      spend(1);
      measure(element, left, depth + 1);
    }
  } else if (value.is_object()) {
    spend(2);
    for (const auto& [name, member] : value.get_ref<const canon::Json::object_t&>()) {
      text(name.size());
      spend(written_size(name) + 2);
      measure(member, left, depth + 1);
    }
  } else if (value.is_number_integer()) {
    spend(fmt::formatted_size("{}", value.get<std::int64_t>()));
  } else {
    spend(value.is_number() ? 24 : 5);
  }
}

}  // namespace stella::expression
