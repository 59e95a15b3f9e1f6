// SPDX-License-Identifier: Apache-2.0
// The types that an input may have. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/pack/manifest.hpp"
#include "bundles/canon/json.hpp"

namespace stella::pack {

[[nodiscard]] const std::vector<std::string>& type_names();
[[nodiscard]] std::optional<InputType> find_type(std::string_view name);
// A file is given as text: its path. 3.0 is an integer, as in JSON Schema.
[[nodiscard]] bool is_of_type(const canon::Json& value, InputType type);
[[nodiscard]] bool is_integral(const canon::Json& value);

}  // namespace stella::pack
