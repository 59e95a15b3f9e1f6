// SPDX-License-Identifier: Apache-2.0
// Whom the site calls about which kind of problem: the policy's `escalation`. Pure; any thread.
// Source: docs/operations/escalation.md, docs/formats/site-policy.md
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bundles/site/policy.hpp"

namespace stella::site {

// pack approvals secrets network registry machine integrity access operation product.
[[nodiscard]] std::span<const std::string_view> problem_kinds() noexcept;

struct Contacts {
  std::string primary, secondary;  // a name, a duty phone, a role: 1..200 bytes that print; secondary may be empty
};
// What a policy that was parsed says of this kind; nothing: the roles that stella names by itself.
[[nodiscard]] std::optional<Contacts> contacts_of(const Policy& policy, std::string_view kind);

}  // namespace stella::site
