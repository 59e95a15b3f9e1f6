// SPDX-License-Identifier: Apache-2.0
// The review: what an approver reads before signing, 80 columns, and the text whose digest is signed. Any thread.
#pragma once

#include <string>

#include "bundles/approval/request.hpp"

namespace stella::approval {

// A pure function of the request file: no clock, terminal, locale or home. Computed from the plan's bytes; foreign text
// is escaped, nothing is left out. Lists every secret with every host that any step of the run can reach.
[[nodiscard]] std::string review_text(const Request& request);
[[nodiscard]] canon::Digest display_digest(const Request& request);  // displaySha256

}  // namespace stella::approval
