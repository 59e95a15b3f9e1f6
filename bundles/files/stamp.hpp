// SPDX-License-Identifier: Apache-2.0
// Whether a file that others replace is still the one that was read. Any thread.
#pragma once

#include <string>

namespace stella::files {

// Inode, size and time of the last change; `none` where there is no file. Another text: read it again.
[[nodiscard]] std::string stamp_of(const std::string& path);

}  // namespace stella::files
