// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/assets.hpp"

namespace stella::page {

const Asset* find_asset(std::string_view path) {
  for (const Asset& one : assets()) {
    if (one.path == path) return &one;
  }
  return nullptr;
}

std::string_view path_of(std::string_view name) {
  for (const Asset& one : assets()) {
    if (one.name == name) return one.path;
  }
  return {};
}

}  // namespace stella::page
