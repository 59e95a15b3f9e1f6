// SPDX-License-Identifier: Apache-2.0
// The predicate of a request, to and from JSON. Any thread.
// Errors: ERR_APPROVAL_MALFORMED, reason `statement`, at the member.
#pragma once

#include <string>

#include "bundles/approval/request.hpp"

namespace stella::approval {

[[nodiscard]] canon::Json predicate_of(const Asked& asked);
[[nodiscard]] Asked read_asked(const canon::Json& predicate, const std::string& at);

}  // namespace stella::approval
