// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/plan.hpp"
#include "bundles/approval/step_graph.hpp"

namespace stella::plan {

std::string template_id(std::string_view id) {
  return approval::template_id(id);
}

std::string_view turn_of(std::string_view id) noexcept {
  const auto cut = id.rfind("::");
  return cut == id.npos ? std::string_view{} : id.substr(0, cut);
}

}  // namespace stella::plan
