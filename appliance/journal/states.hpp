// SPDX-License-Identifier: Apache-2.0
// The states of a run that are its end. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace stella::journal {

inline constexpr std::array<std::string_view, 4> kFinalStates = {"succeeded", "failed", "cancelled", "expired"};

// Until somebody resumes it nothing moves in it.
[[nodiscard]] constexpr bool is_final(std::string_view state) {
  return std::find(kFinalStates.begin(), kFinalStates.end(), state) != kFinalStates.end();
}

// Of an event's type: `pack.run.succeeded` and its like.
[[nodiscard]] constexpr bool ends_run(std::string_view type) {
  constexpr std::string_view kRun = "pack.run.";
  return type.starts_with(kRun) && is_final(type.substr(kRun.size()));
}

}  // namespace stella::journal
