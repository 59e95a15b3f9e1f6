// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/site.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::schema {

const canon::Json* Site::find(const char* keyword) const {
  const auto found = node_.json->find(keyword);
  if (found == node_.json->end()) return nullptr;
  return find_keyword(keyword, node_.resource->vocabularies) == nullptr ? nullptr : &*found;
}

bool Site::asserts_formats() const {
  return formats_ == Formats::asserted || node_.resource->vocabularies.has(Vocabulary::format_assertion);
}

void Site::refuse(const char* keyword, const std::string& what) const {
  Library::refuse(node_, keyword, what);
}

double Site::number(const char* keyword, const canon::Json& value) const {
  if (!value.is_number()) refuse(keyword, fmt::format("`{}` is a number", keyword));
  return value.get<double>();
}

std::uint64_t Site::count(const char* keyword, const canon::Json& value) const {
  const double given = value.is_number() ? value.get<double>() : -1;
  if (given < 0 || given > 9007199254740992.0 || std::trunc(given) != given)
    refuse(keyword, fmt::format("`{}` is a whole number from 0", keyword));
  return static_cast<std::uint64_t>(given);
}

const std::string& Site::text(const char* keyword, const canon::Json& value) const {
  if (!value.is_string()) refuse(keyword, fmt::format("`{}` is text", keyword));
  return value.get_ref<const std::string&>();
}

bool Site::truth(const char* keyword, const canon::Json& value) const {
  if (!value.is_boolean()) refuse(keyword, fmt::format("`{}` is true or false", keyword));
  return value.get<bool>();
}

std::vector<std::string> Site::names(const char* keyword, const canon::Json& value) const {
  std::vector<std::string> found;
  std::set<std::string_view> known;
  if (!value.is_array()) refuse(keyword, fmt::format("`{}` is a list of names", keyword));
  for (const canon::Json& item : value) {
    if (!item.is_string()) refuse(keyword, fmt::format("`{}` is a list of names", keyword));
    const auto& name = item.get_ref<const std::string&>();
    if (!known.insert(name).second)
      refuse(keyword, fmt::format("`{}` has {} twice", keyword, canon::printable(name, 60)));
    found.push_back(name);
  }
  return found;
}

const Pattern& Site::pattern(const char* keyword, const std::string& source) const {
  try {
    return program_.patterns.get(source);
  } catch (const PatternError& error) {
    refuse(keyword, fmt::format("`{}`: {}", canon::printable(source, 80), canon::printable(error.what(), 300)));
  }
}

const Node* Site::subschema(const char* keyword) const {
  const canon::Json* value = find(keyword);
  return value == nullptr ? nullptr : &at(*value);
}

std::vector<const Node*> Site::subschemas(const char* keyword) const {
  std::vector<const Node*> all;
  if (const canon::Json* list = find(keyword))
    for (const canon::Json& one : *list) all.push_back(&at(one));
  return all;
}

Library::Target Site::resolve(const char* keyword) const {
  return library_.resolve(node_, keyword, text(keyword, *find(keyword)));
}

void compile_all(Program& program, Library& library, Formats formats) {
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {  // references bring in more
    if (program.nodes[i].constant) continue;
    Site site(program.nodes[i], library, program, formats);
    add_value_assertions(site);
    add_number_assertions(site);
    add_text_assertions(site);
    add_container_assertions(site);
    add_members(site);
    add_items(site);
    add_references(site);
    add_choices(site);
    add_unevaluated(site);
  }
}

}  // namespace stella::schema
