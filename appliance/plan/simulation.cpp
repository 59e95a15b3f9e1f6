// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/plan.hpp"

namespace stella::plan {
namespace {

using canon::Json;

void add(const std::vector<Step>& steps, const std::string& prefix, Json& classes, Json& dynamic) {
  for (const Step& step : steps) {
    const std::string id = prefix + step.id;
    classes[id] = step.step_class;
    if (step.dynamic)
      dynamic.push_back(
          {{"id", id}, {"kind", pack::name_of(step.kind)}, {"items", step.items}, {"maxTurns", step.max_turns}});
    add(step.body, id + "[*]::", classes, dynamic);
  }
}

}  // namespace

Json simulation(const Plan& plan) {
  Json classes = Json::object(), dynamic = Json::array();
  add(plan.steps, "", classes, dynamic);
  return {{"classes", std::move(classes)}, {"dynamic", std::move(dynamic)}};
}

}  // namespace stella::plan
