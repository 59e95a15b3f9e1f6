// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

std::string shown(const canon::Json& value) {
  if (value.is_structured()) return value.is_array() ? "a list" : "a mapping";
  if (value.is_null()) return "nothing";
  return fmt::format("`{}`",
                     canon::printable(value.is_string() ? value.get<std::string>() : canon::canonical(value), 60));
}

std::string guess(std::string_view word, const std::vector<std::string>& candidates) {
  const auto near = canon::nearest(word, candidates);
  return near ? fmt::format(", did you mean `{}`?", *near) : std::string{};
}

}  // namespace

void Findings::note(const std::string& pointer, const std::string& what, const std::string& reason) {
  problems_.push_back({document_.at(pointer), what, reason});
}

void Findings::note_key(const std::string& pointer, const std::string& what) {
  problems_.push_back({document_.at_key(pointer), what, "schema"});
}

Section::Section(Findings& findings, const canon::Json& value, std::string pointer)
    : findings_(findings), pointer_(std::move(pointer)) {
  if (value.is_object())
    object_ = &value;
  else
    findings_.note(pointer_, fmt::format("a mapping belongs here, not {}", shown(value)));
}

bool Section::has(std::string_view name) const {
  return object_ != nullptr && object_->contains(name);
}

std::string Section::pointer_to(std::string_view name) const {
  return pointer_ + yaml::pointer_step(name);
}

void Section::note(std::string_view name, const std::string& what) {
  findings_.note(pointer_to(name), what);
}

void Section::wrong(std::string_view name, std::string_view wanted) {
  note(name, fmt::format("`{}` must be {}, not {}", name, wanted, shown(object_->at(std::string(name)))));
}

const canon::Json* Section::any(std::string_view name, Need need) {
  asked_.emplace(name);
  if (object_ == nullptr) return nullptr;
  const auto found = object_->find(name);
  if (found != object_->end()) return &*found;
  if (need == Need::required) findings_.note(pointer_, fmt::format("`{}` is missing", name));
  return nullptr;
}

std::optional<std::string> Section::text(std::string_view name, Need need, std::size_t max_bytes) {
  const canon::Json* value = any(name, need);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    wrong(name, value->is_primitive() && !value->is_null() ? "text (put it in quotes)" : "text");
    return std::nullopt;
  }
  auto text = value->get<std::string>();
  if (text.size() > max_bytes || text.find('\0') != text.npos) {
    note(name, fmt::format("`{}` must have at most {} bytes and no NUL", name, max_bytes));
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> Section::word(std::string_view name, Need need, bool (*good)(std::string_view),
                                         std::string_view rule) {
  auto value = text(name, need);
  if (!value || good(*value)) return value;
  note(name, fmt::format("`{}` is {}; it must be {}", name, shown(*value), rule));
  return std::nullopt;
}

std::optional<std::int64_t> Section::integer(std::string_view name, std::int64_t min, std::int64_t max, Need need) {
  const canon::Json* value = any(name, need);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer())
    if (const auto number = value->get<std::int64_t>(); number >= min && number <= max) return number;
  wrong(name, fmt::format("an integer from {} to {}", min, max));
  return std::nullopt;
}

std::optional<double> Section::number(std::string_view name, double min, double max) {
  const canon::Json* value = any(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number())
    if (const auto number = value->get<double>(); number >= min && number <= max) return number;
  wrong(name, fmt::format("a number from {} to {}", min, max));
  return std::nullopt;
}

std::optional<bool> Section::boolean(std::string_view name) {
  const canon::Json* value = any(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong(name, "true or false");
  return std::nullopt;
}

std::optional<clock::Duration> Section::duration(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  try {
    const auto duration = clock::parse_duration(*value, fault::Code::pack_invalid, "");
    if (duration > clock::Duration::zero()) return duration;
    note(name, fmt::format("`{}` must be more than nothing", name));
  } catch (const fault::Error&) {
    wrong(name, "a duration such as PT5M, PT1H30M, 30s or 24h");
  }
  return std::nullopt;
}

std::optional<std::string> Section::choice(std::string_view name, const std::vector<std::string>& allowed, Need need) {
  auto value = text(name, need);
  if (!value || std::ranges::find(allowed, *value) != allowed.end()) return value;
  note(name, fmt::format("`{}` is {}, not one of {}{}", name, shown(*value), fmt::join(allowed, ", "),
                         guess(*value, allowed)));
  return std::nullopt;
}

void Section::each(std::string_view name, Need need, std::size_t max_items, const Visit& visit) {
  const canon::Json* value = any(name, need);
  if (value == nullptr) return;
  if (!value->is_array()) return wrong(name, "a list");
  if (value->size() > max_items) return note(name, fmt::format("`{}` has more than {} items", name, max_items));
  std::size_t index = 0;
  for (const canon::Json& item : *value) visit(item, fmt::format("{}/{}", pointer_to(name), index++));
}

void Section::each_member(std::string_view name, std::size_t max_items, const VisitMember& visit) {
  const canon::Json* value = any(name);
  if (value == nullptr) return;
  if (!value->is_object()) return wrong(name, "a mapping");
  if (value->size() > max_items) return note(name, fmt::format("`{}` has more than {} members", name, max_items));
  for (const auto& [key, member] : value->items()) visit(key, member, pointer_to(name) + yaml::pointer_step(key));
}

std::optional<std::vector<std::string>> Section::texts(std::string_view name, std::size_t max_items) {
  if (!has(name)) {
    asked_.emplace(name);
    return std::nullopt;
  }
  std::vector<std::string> result;
  each(name, Need::optional, max_items, [&](const canon::Json& item, const std::string& pointer) {
    if (!item.is_string())
      return findings_.note(pointer, fmt::format("`{}` holds text only; put {} in quotes", name, shown(item)));
    result.push_back(item.get<std::string>());
    if (result.back().find('\0') != std::string::npos) findings_.note(pointer, "a NUL character is not allowed");
  });
  return result;
}

void Section::later(std::string_view name) {
  asked_.emplace(name);
  if (has(name)) findings_.note_key(pointer_to(name), fmt::format("`{}` comes with a later version of stella", name));
}

void Section::finish() {
  if (object_ == nullptr) return;
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, value] : object_->items())
    if (!asked_.contains(key))
      findings_.note_key(pointer_to(key),
                         fmt::format("unknown field `{}`{}", canon::printable(key, 60), guess(key, known)));
}

}  // namespace stella::pack
