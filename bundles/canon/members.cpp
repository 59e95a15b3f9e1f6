// SPDX-License-Identifier: Apache-2.0
#include "bundles/canon/members.hpp"

#include "bundles/canon/fields.hpp"

namespace stella::canon {

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t integer_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string shown_in(const Json& object, const char* name, std::size_t max_bytes) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return printable(found->is_string() ? found->get<std::string>() : canonical(*found), max_bytes);
}

std::vector<std::string> all_shown_in(const Json& object, const char* name, std::size_t max_bytes) {
  std::vector<std::string> texts;
  if (const auto found = object.find(name); found != object.end() && found->is_array()) {
    for (const Json& one : *found) texts.push_back(printable(one.get<std::string>(), max_bytes));
  }
  return texts;
}

}  // namespace stella::canon
