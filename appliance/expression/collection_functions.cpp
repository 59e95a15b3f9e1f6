// SPDX-License-Identifier: Apache-2.0
// keys map merge not_null to_array type values. Members come in the order of their names: an object has none itself,
// and a plan must not depend on how its inputs were written.
#include "appliance/expression/function.hpp"

namespace stella::expression {

Value act_keys(const Call& call) {
  canon::Json names = canon::Json::array();
  for (const auto& [name, member] : call.json(0).get_ref<const canon::Json::object_t&>()) {
    call.meter().text(name.size());
    call.meter().memory(64 + name.size());
    names.push_back(name);
  }
  return call.evaluation().make(std::move(names));
}

Value act_values(const Call& call) {
  canon::Json all = canon::Json::array();
  for (const auto& member : call.json(0)) all.push_back(call.evaluation().take({&member, nullptr}));
  return call.evaluation().make(std::move(all));
}

Value act_map(const Call& call) {
  Evaluation& evaluation = call.evaluation();
  canon::Json all = canon::Json::array();
  for (const auto& element : call.json(1)) {
    call.meter().step();
    call.meter().memory(sizeof(canon::Json));
    const Evaluation::Mark before = evaluation.mark();
    all.push_back(evaluation.take(evaluation.of(call.reference(0), element)));
    evaluation.rewind(before, Evaluation::Costs::keep);
  }
  return evaluation.make(std::move(all));
}

Value act_merge(const Call& call) {
  canon::Json merged = call.evaluation().take(call.value(0));
  for (std::size_t i = 1; i < call.count(); ++i) {
    call.meter().copy(call.json(i));
    merged.update(call.json(i));
  }
  return call.evaluation().make(std::move(merged));
}

Value act_not_null(const Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i)
    if (!call.json(i).is_null()) return call.value(i);
  return Evaluation::null();
}

Value act_to_array(const Call& call) {
  if (call.json(0).is_array()) return call.value(0);
  canon::Json list = canon::Json::array();
  list.push_back(call.evaluation().take(call.value(0)));
  return call.evaluation().make(std::move(list));
}

Value act_type(const Call& call) {
  return call.evaluation().make(kind_name(call.json(0)));
}

}  // namespace stella::expression
