// SPDX-License-Identifier: Apache-2.0
// type, const, enum, format: what a value is, whatever its kind.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "appliance/schema/formats.hpp"
#include "appliance/schema/site.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::schema {
namespace {

constexpr std::array kTypes = {"null", "boolean", "object", "array", "number", "string", "integer"};

bool is_integral(const canon::Json& value) {
  return value.is_number_integer() ||
         (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
}

bool has_type(const canon::Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  return type == "integer" ? is_integral(value) : value.is_number();
}

void add_type(Site& site, const canon::Json& value) {
  std::vector<std::string> types;
  if (value.is_string())
    types = {value.get<std::string>()};
  else
    types = site.names("type", value);
  for (const std::string& type : types)
    if (std::ranges::find(kTypes, type) == kTypes.end())
      site.refuse("type", fmt::format("`type` is one of {}, or a list of them", fmt::join(kTypes, ", ")));
  if (types.empty()) site.refuse("type", "`type` is an empty list");
  site.add([types](Evaluation& evaluation, const Frame& frame) {
    return std::ranges::any_of(types, [&](const std::string& type) { return has_type(frame.value(), type); }) ||
           evaluation.fail(frame, "type", [&] {
             return fmt::format("must be of type {}, not {}", fmt::join(types, " or "), shown(frame.value()));
           });
  });
}

void add_enum(Site& site, const canon::Json& value) {
  if (!value.is_array()) site.refuse("enum", "`enum` is a list of values");
  site.add([&value, cost = weight(value)](Evaluation& evaluation, const Frame& frame) {
    evaluation.charge(frame.value().is_primitive() && !frame.value().is_string() ? 1 + value.size() / 8 : cost);
    return std::ranges::find(value, frame.value()) != value.end() || evaluation.fail(frame, "enum", [&] {
      return fmt::format("must be one of {}, not {}", shown(value), shown(frame.value()));
    });
  });
}

void add_format(Site& site, const canon::Json& value) {
  const std::string& name = site.text("format", value);
  const FormatCheck check = find_format(name);
  if (check == nullptr || !site.asserts_formats()) return;
  site.add([name, check](Evaluation& evaluation, const Frame& frame) {
    if (!frame.value().is_string()) return true;
    const auto& text = frame.value().get_ref<const std::string&>();
    evaluation.charge(1 + text.size() / 4);
    return check(text) || evaluation.fail(frame, "format", [&] {
      return fmt::format("must be a {}, which {} is not", name, shown(frame.value()));
    });
  });
}

}  // namespace

void add_value_assertions(Site& site) {
  if (const auto* value = site.find("type")) add_type(site, *value);
  if (const auto* value = site.find("enum")) add_enum(site, *value);
  if (const auto* value = site.find("const"))
    site.add([value, cost = weight(*value)](Evaluation& evaluation, const Frame& frame) {
      evaluation.charge(cost);
      return *value == frame.value() || evaluation.fail(frame, "const", [&] {
        return fmt::format("must be {}, not {}", shown(*value), shown(frame.value()));
      });
    });
  if (const auto* value = site.find("format")) add_format(site, *value);
}

}  // namespace stella::schema
