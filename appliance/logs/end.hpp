// SPDX-License-Identifier: Apache-2.0
// Where a run's log ends now, without reading it. Any thread.
#pragma once

#include <string>

#include "appliance/logs/reader.hpp"

namespace stella::logs {

inline constexpr std::uint64_t kRecordHead = 24;  // bytes before a record's own: a Piece stands at `next` less both

// The last chunk and its size; chunk 0 when there is none. While a writer is at work the end may lie within a record.
[[nodiscard]] Position end_of(const std::string& folder);

}  // namespace stella::logs
