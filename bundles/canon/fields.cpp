// SPDX-License-Identifier: Apache-2.0
#include "bundles/canon/fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stella::canon {

Fields::Fields(const Json& object, fault::Code code, std::string reason, std::string at)
    : object_(&object), code_(code), reason_(std::move(reason)), at_(std::move(at)) {
  if (!object.is_object()) throw fault::Error(code_, reason_, "an object is needed here", at_);
}

void Fields::fail(const std::string& what, std::string_view name) const {
  throw fault::Error(code_, reason_, what, name.empty() ? at_ : fmt::format("{}.{}", at_, name));
}

bool Fields::has(std::string_view name) const {
  return object_->contains(name);
}

const Json* Fields::maybe(std::string_view name) {
  asked_.emplace(name);
  const auto found = object_->find(name);
  return found == object_->end() ? nullptr : &*found;
}

const Json& Fields::need(std::string_view name) {
  const Json* value = maybe(name);
  if (value == nullptr) fail(fmt::format("field `{}` is missing", name), name);
  return *value;
}

std::string Fields::text(std::string_view name, std::size_t max_bytes) {
  const Json& value = need(name);
  if (!value.is_string()) fail(fmt::format("field `{}` must be a string", name), name);
  const auto& result = value.get_ref<const std::string&>();
  if (result.size() > max_bytes) fail(fmt::format("field `{}` has more than {} bytes", name, max_bytes), name);
  return result;
}

std::int64_t Fields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const Json& value = need(name);
  if (!value.is_number_integer()) fail(fmt::format("field `{}` must be an integer", name), name);
  const auto result = value.get<std::int64_t>();
  if (result < min || result > max) fail(fmt::format("field `{}` must lie between {} and {}", name, min, max), name);
  return result;
}

bool Fields::boolean(std::string_view name) {
  const Json& value = need(name);
  if (!value.is_boolean()) fail(fmt::format("field `{}` must be true or false", name), name);
  return value.get<bool>();
}

const Json& Fields::object(std::string_view name) {
  const Json& value = need(name);
  if (!value.is_object()) fail(fmt::format("field `{}` must be an object", name), name);
  return value;
}

const Json& Fields::array(std::string_view name, std::size_t max_items) {
  const Json& value = need(name);
  if (!value.is_array()) fail(fmt::format("field `{}` must be a list", name), name);
  if (value.size() > max_items) fail(fmt::format("field `{}` has more than {} items", name, max_items), name);
  return value;
}

const Json& Fields::any(std::string_view name) {
  return need(name);
}

std::vector<std::string> Fields::texts(std::string_view name) {
  std::vector<std::string> result;
  for (const Json& item : array(name)) {
    if (!item.is_string()) fail(fmt::format("field `{}` must be a list of strings", name), name);
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::optional<std::string> Fields::maybe_text(std::string_view name, std::size_t max_bytes) {
  if (maybe(name) == nullptr) return std::nullopt;
  return text(name, max_bytes);
}

std::string Fields::choice(std::string_view name, const std::vector<std::string>& allowed) {
  std::string value = text(name);
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  const auto guess = nearest(value, allowed);
  fail(fmt::format("field `{}` is `{}`, not one of {}{}", name, printable(value, 60), fmt::join(allowed, ", "),
                   guess ? fmt::format("; did you mean `{}`?", *guess) : ""),
       name);
}

void Fields::ignore(std::string_view name) {
  asked_.emplace(name);
}

void Fields::finish() const {
  for (const auto& [key, value] : object_->items()) {
    if (asked_.contains(key)) continue;
    const auto guess = nearest(key, {asked_.begin(), asked_.end()});
    fail(fmt::format("unknown field `{}`{}", printable(key, 60),
                     guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
         printable(key, 60));
  }
}

}  // namespace stella::canon
