// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/plan.hpp"

namespace stella::plan {

std::string template_id(std::string_view id) {
  std::string out;
  for (std::size_t i = 0; i < id.size(); ++i) {
    out += id[i];
    if (id[i] != '[') continue;
    out += '*';
    while (i + 1 < id.size() && id[i + 1] != ']') ++i;
  }
  return out;
}

std::string_view turn_of(std::string_view id) noexcept {
  const auto cut = id.rfind("::");
  return cut == id.npos ? std::string_view{} : id.substr(0, cut);
}

}  // namespace stella::plan
