// SPDX-License-Identifier: Apache-2.0
// The versions of secrets that reviewers saw are the only ones that may be leased behind their gate (security.md rule
// 5).
#pragma once

#include <string>

#include "appliance/run/record.hpp"
#include "vault/lease/lease.hpp"

namespace stella::run {

// ERR_VAULT_DENIED, reason `version`, when a gate before the step was opened for another version of this secret. A
// version that was not known when it was asked (the vault was sealed) binds nothing.
void require_reviewed_version(const Record& record, const std::string& step, const lease::Leased& leased,
                              clock::Time now);

}  // namespace stella::run
