// SPDX-License-Identifier: Apache-2.0
// The policy.yaml that `site init` writes. Any thread.
#pragma once

#include <string>

namespace stella::cli {

// Every section of contract section 8 with a comment; what a small site does not need is commented out. Keys stand as
// PUBLIC-KEY-OF-..., which `site check` names as problems until they are filled in.
[[nodiscard]] std::string policy_template(const std::string& site);

}  // namespace stella::cli
