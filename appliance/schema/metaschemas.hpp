// SPDX-License-Identifier: Apache-2.0
// The metaschemas of 2020-12, built in, so that schemas may name them without anything being fetched. Any thread.
// Source: https://json-schema.org/draft/2020-12/schema and the eight documents below meta/, of 10 June 2022.
#pragma once

#include <optional>
#include <string_view>

namespace stella::schema {

inline constexpr std::string_view kStandardDialect = "https://json-schema.org/draft/2020-12/schema";
[[nodiscard]] std::optional<std::string_view> find_metaschema(std::string_view uri);

}  // namespace stella::schema
