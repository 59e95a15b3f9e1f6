// SPDX-License-Identifier: Apache-2.0
// max max_by min min_by sort sort_by. Strings are ordered by code points, which is the order of UTF-8's bytes.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "appliance/expression/function.hpp"

namespace stella::expression {
namespace {

struct Keyed {
  const canon::Json* key;
  const canon::Json* element;
};

std::size_t text_steps(const canon::Json& key) {
  return key.is_string() ? 1 + key.get_ref<const std::string&>().size() / 64 : 1;
}

// The elements with what they are ordered by: themselves, or what a reference makes of them. Keys are all numbers or
// all strings.
std::vector<Keyed> keyed(const Call& call, const Node* reference) {
  std::vector<Keyed> all;
  call.meter().memory(call.json(0).size() * sizeof(Keyed));
  all.reserve(call.json(0).size());
  for (const auto& element : call.json(0)) {
    const canon::Json& key = reference == nullptr ? element : *call.evaluation().of(*reference, element);
    if (!key.is_number() && !key.is_string())
      call.refuse_type(
          fmt::format("the key of element {} is {}, keys are numbers or strings", all.size(), kind_name(key)));
    if (!all.empty() && key.is_string() != all.front().key->is_string())
      call.refuse_type(fmt::format("the key of element {} is a {}, that of the first a {}", all.size(), kind_name(key),
                                   kind_name(*all.front().key)));
    call.meter().step(text_steps(key));
    all.push_back({&key, &element});
  }
  return all;
}

bool before(const Keyed& left, const Keyed& right) {
  return *left.key < *right.key;
}

Value sorted(const Call& call, const Node* reference) {
  std::vector<Keyed> all = keyed(call, reference);
  std::size_t steps = 0;
  for (const Keyed& each : all) steps += text_steps(*each.key);
  call.meter().step(steps * std::bit_width(all.size()));
  std::ranges::stable_sort(all, before);
  canon::Json list = canon::Json::array();
  for (const Keyed& each : all) list.push_back(call.evaluation().take({each.element, nullptr}));
  return call.evaluation().make(std::move(list));
}

// Of equal ones the first.
Value least(const Call& call, const Node* reference) {
  const std::vector<Keyed> all = keyed(call, reference);
  if (all.empty()) return Evaluation::null();
  return {std::ranges::min_element(all, before)->element, nullptr};
}

Value greatest(const Call& call, const Node* reference) {
  const std::vector<Keyed> all = keyed(call, reference);
  if (all.empty()) return Evaluation::null();
  return {std::ranges::max_element(all, before)->element, nullptr};
}

}  // namespace

Value act_max(const Call& call) {
  return greatest(call, nullptr);
}
Value act_max_by(const Call& call) {
  return greatest(call, &call.reference(1));
}
Value act_min(const Call& call) {
  return least(call, nullptr);
}
Value act_min_by(const Call& call) {
  return least(call, &call.reference(1));
}
Value act_sort(const Call& call) {
  return sorted(call, nullptr);
}
Value act_sort_by(const Call& call) {
  return sorted(call, &call.reference(1));
}

}  // namespace stella::expression
