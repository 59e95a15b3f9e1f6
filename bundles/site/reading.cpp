// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/reading.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::site {
namespace {

constexpr std::size_t kMaxProblems = 200, kMaxText = 4096, kMaxItems = 10000;
constexpr auto kCode = fault::Code::site_invalid;

}  // namespace

void Report::problem(const std::string& pointer, const std::string& what, const std::string& reason) {
  if (problems_.size() < kMaxProblems) problems_.push_back({document_.at(pointer), what, reason});
}

void Report::problem_at_key(const std::string& pointer, const std::string& what) {
  if (problems_.size() < kMaxProblems) problems_.push_back({document_.at_key(pointer), what, "schema"});
}

void Report::warn(const std::string& pointer, const std::string& what, const std::string& reason) {
  if (warnings_.size() < kMaxProblems) warnings_.push_back({document_.at(pointer), what, reason});
}

Object::Object(const Item& item, Report& report) : value_(item.value), pointer_(item.pointer), report_(&report) {
  if (value_ != nullptr && !value_->is_object()) {
    report.problem(pointer_, "an object is needed here");
    value_ = nullptr;
  }
}

std::string Object::at(std::string_view name) const {
  return pointer_ + yaml::pointer_step(name);
}

void Object::problem(std::string_view name, const std::string& what, const std::string& reason) {
  report_->problem(at(name), what, reason);
}

const canon::Json* Object::find(std::string_view name, Need need) {
  asked_.emplace(name);
  if (value_ == nullptr) return nullptr;
  const auto found = value_->find(name);
  if (found != value_->end()) return &*found;
  if (need == Need::required) report_->problem(pointer_, fmt::format("field `{}` is missing", name));
  return nullptr;
}

std::string Object::text(std::string_view name, Need need) {
  const canon::Json* value = find(name, need);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    problem(name, fmt::format("field `{}` must be a string", name));
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.empty()) problem(name, fmt::format("field `{}` is empty", name));
  if (text.size() <= kMaxText) return text;
  problem(name, fmt::format("field `{}` has more than {} bytes", name, kMaxText));
  return {};
}

std::int64_t Object::integer(std::string_view name, std::int64_t min, std::int64_t max, std::int64_t otherwise,
                             Need need) {
  const canon::Json* value = find(name, need);
  if (value == nullptr) return otherwise;
  if (value->is_number_integer()) {
    const auto number = value->get<std::int64_t>();
    if (number >= min && number <= max) return number;
  }
  problem(name, fmt::format("field `{}` must be a whole number from {} to {}", name, min, max));
  return otherwise;
}

bool Object::boolean(std::string_view name, bool otherwise) {
  const canon::Json* value = find(name);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  problem(name, fmt::format("field `{}` must be true or false", name));
  return otherwise;
}

std::vector<Item> Object::list(std::string_view name, Need need) {
  const canon::Json* value = find(name, need);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > kMaxItems) {
    problem(name, fmt::format("field `{}` must be a list of at most {} items", name, kMaxItems));
    return {};
  }
  std::vector<Item> items;
  for (std::size_t i = 0; i < value->size(); ++i) items.push_back({&(*value)[i], fmt::format("{}/{}", at(name), i)});
  return items;
}

std::vector<std::string> Object::texts(std::string_view name, Need need) {
  std::vector<std::string> texts;
  for (const Item& item : list(name, need)) {
    const bool good = item.value->is_string() && !item.value->get_ref<const std::string&>().empty();
    if (!good) report_->problem(item.pointer, fmt::format("field `{}` must be a list of strings", name));
    texts.push_back(good ? item.value->get<std::string>() : std::string());
  }
  return texts;
}

std::optional<Object> Object::object(std::string_view name, Need need) {
  const canon::Json* value = find(name, need);
  if (value == nullptr) return std::nullopt;
  return Object({value, at(name)}, *report_);
}

std::string Object::choice(std::string_view name, const std::vector<std::string>& allowed,
                           const std::string& otherwise) {
  const std::string value = text(name);
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
    return value.empty() ? otherwise : value;
  }
  const auto guess = canon::nearest(value, allowed);
  problem(name, fmt::format("field `{}` is `{}`, not one of {}{}", name, canon::printable(value, 60),
                            fmt::join(allowed, ", "), guess ? fmt::format("; did you mean `{}`?", *guess) : ""));
  return otherwise;
}

std::optional<trust::PublicKey> Object::key(std::string_view name) {
  const canon::Json* value = find(name, Need::required);
  if (value == nullptr) return std::nullopt;
  return read_key({value, at(name)}, *report_);
}

clock::Duration Object::duration(std::string_view name, clock::Duration otherwise) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  try {
    const clock::Duration parsed = clock::parse_duration(value, kCode, {});
    if (parsed.count() > 0) return parsed;
    problem(name, fmt::format("field `{}` must be longer than nothing", name));
  } catch (const fault::Error& error) {
    problem(name, error.what(), error.reason());
  }
  return otherwise;
}

void Object::finish() {
  if (value_ == nullptr) return;
  for (const auto& [name, value] : value_->items()) {
    if (asked_.contains(name)) continue;
    const auto guess = canon::nearest(name, {asked_.begin(), asked_.end()});
    report_->problem_at_key(at(name), fmt::format("unknown field `{}`{}", canon::printable(name, 60),
                                                  guess ? fmt::format(", did you mean `{}`?", *guess) : ""));
  }
}

std::optional<trust::PublicKey> read_key(const Item& item, Report& report) {
  if (!item.value->is_string()) {
    report.problem(item.pointer, "a public key is one base64 line: the middle line of the .pub file", "key");
    return std::nullopt;
  }
  try {
    return trust::parse_public_line(item.value->get_ref<const std::string&>(), kCode, {});
  } catch (const fault::Error& error) {
    report.problem(item.pointer, error.what(), error.reason());
    return std::nullopt;
  }
}

}  // namespace stella::site
