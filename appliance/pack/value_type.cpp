// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/value_type.hpp"

#include <cmath>

namespace stella::pack {

const std::vector<std::string>& type_names() {
  static const std::vector<std::string> names = {"string", "integer", "number", "boolean", "array", "object", "file"};
  return names;
}

std::optional<InputType> find_type(std::string_view name) {
  for (const InputType type : {InputType::string, InputType::integer, InputType::number, InputType::boolean,
                               InputType::array, InputType::object, InputType::file})
    if (name_of(type) == name) return type;
  return std::nullopt;
}

bool is_integral(const canon::Json& value) {
  return value.is_number_integer() ||
         (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
}

bool is_of_type(const canon::Json& value, InputType type) {
  switch (type) {
    case InputType::string:
    case InputType::file:
      return value.is_string();
    case InputType::integer:
      return is_integral(value);
    case InputType::number:
      return value.is_number();
    case InputType::boolean:
      return value.is_boolean();
    case InputType::array:
      return value.is_array();
    case InputType::object:
      return value.is_object();
  }
  return false;
}

}  // namespace stella::pack
