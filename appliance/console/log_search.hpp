// SPDX-License-Identifier: Apache-2.0
// One try's log for pages and programs alike: a search over all its lines, and the whole of it as a download. A
// worker's thread; memory grows with what is asked for, never with the log.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "appliance/http/message.hpp"
#include "appliance/logs/lines.hpp"

namespace stella::console {

struct LogWanted {
  std::string pattern;  // RE2's, or with `literal` a text
  bool literal = false, case_sensitive = true;
  std::uint64_t from = 1;  // the first line to look at
};
struct LogFound {
  std::uint64_t count = 0;                 // lines that match
  std::optional<std::uint64_t> next = {};  // five seconds were not enough: where to go on
};
// `take` gets each line that matches, with where and how long. ERR_USAGE reason `q` for what is no pattern.
[[nodiscard]] LogFound search_log(const logs::OneTry& one, const LogWanted& wanted,
                                  const std::function<void(const logs::TextLine&, std::size_t, std::size_t)>& take);

// The text as it is stored, redacted, control characters and all: sent to be saved as `RUN.STEP.TRY.log`, never shown.
[[nodiscard]] http::Response download_log(const std::string& run, const logs::OneTry& one);

}  // namespace stella::console
