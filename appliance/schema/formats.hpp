// SPDX-License-Identifier: Apache-2.0
// The formats that can be asserted. Any thread.
// Source: JSON Schema Validation 2020-12 section 7.3; the RFCs are named beside each check.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stella::schema {

using FormatCheck = bool (*)(std::string_view text);
[[nodiscard]] FormatCheck find_format(std::string_view name);  // nullptr: only ever an annotation
[[nodiscard]] std::vector<std::string> format_names();

}  // namespace stella::schema
