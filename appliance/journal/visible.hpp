// SPDX-License-Identifier: Apache-2.0
// Whose runs this process may see. A process that a service started for an operator sees those of the operator's
// tenants; a run of another tenant is not there: need() throws ERR_RUN_NOT_FOUND, lists leave it out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stella::journal {

// Once, before any other thread. Without it, or with nullopt, every run is seen.
void see_only(std::optional<std::vector<std::string>> tenants);
[[nodiscard]] bool is_visible(std::string_view tenant);
[[nodiscard]] bool sees_everything();

}  // namespace stella::journal
