// SPDX-License-Identifier: Apache-2.0
// A file that holds disk space back, so that a run on a full disk can still be recorded as paused or cancelled. Any
// thread.
#pragma once

#include <cstdint>
#include <string>

namespace stella::journal {

inline constexpr std::uint64_t kReserveBytes = 4 << 20;

// Makes `folder`/.reserve where it is missing and there is room for twice its size; does nothing otherwise.
void keep_reserve(const std::string& folder);
// Whether it is there: when it is not, what the disk has free may be what was held back until a moment ago.
[[nodiscard]] bool has_reserve(const std::string& folder);
// Gives the space back; false when there was none.
bool release_reserve(const std::string& folder);

}  // namespace stella::journal
