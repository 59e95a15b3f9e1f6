// SPDX-License-Identifier: Apache-2.0
// The example pack that `pack init` writes: small, complete, and runs as it is.
#pragma once

#include <string>
#include <vector>

namespace stella::pack {

// Writes pack.yaml, steps/, schemas/, docs/ and .packignore into `folder` (made when missing, named after it) and
// returns the paths written. ERR_FILE_UNSUITABLE, reason `exists`, when one of them is already there; nothing is
// written then.
std::vector<std::string> write_scaffold(const std::string& folder);

}  // namespace stella::pack
