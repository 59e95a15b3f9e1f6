// SPDX-License-Identifier: Apache-2.0
// Sizes as people type them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stella::cli {

// `64MiB`, `512M`, `1GiB`, `1048576`: a whole number of bytes, KiB, MiB or GiB (K M G mean the same), at most 1 TiB.
// Else ERR_USAGE, reason `size`, at `option`.
[[nodiscard]] std::uint64_t parse_size(std::string_view text, const std::string& option);

}  // namespace stella::cli
