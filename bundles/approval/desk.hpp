// SPDX-License-Identifier: Apache-2.0
// What a desk remembers in $STELLA_HOME/seen/: per site the highest policy version, per appliance and tenant the last
// checkpoint. The approvers are the witnesses of an appliance that nobody can watch (security.md rule 13).
#pragma once

#include <string>

#include "bundles/approval/request.hpp"
#include "bundles/files/home.hpp"

namespace stella::approval {

// ERR_APPROVAL_ROLLBACK: reason `policy` (older than seen, or the same version with other bytes), `ledger` (shorter
// than seen, or its first lines are not the ones seen). Changes nothing.
void require_not_older(const files::Home& home, const Request& request);
// Remembers this request's policy and checkpoint; call after require_not_older.
void remember(const files::Home& home, const Request& request);

}  // namespace stella::approval
