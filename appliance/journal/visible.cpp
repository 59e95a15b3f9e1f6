// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/visible.hpp"

#include <algorithm>
#include <utility>

namespace stella::journal {
namespace {

std::optional<std::vector<std::string>>& seen() {
  static std::optional<std::vector<std::string>> tenants;
  return tenants;
}

}  // namespace

void see_only(std::optional<std::vector<std::string>> tenants) {
  seen() = std::move(tenants);
}

bool sees_everything() {
  return !seen().has_value();
}

bool is_visible(std::string_view tenant) {
  return sees_everything() || std::find(seen()->begin(), seen()->end(), tenant) != seen()->end();
}

}  // namespace stella::journal
