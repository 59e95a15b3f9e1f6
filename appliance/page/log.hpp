// SPDX-License-Identifier: Apache-2.0
// The log of one try of one step: a stretch of its lines, a search, and what the script needs to fetch others. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "appliance/page/frame.hpp"

namespace stella::page {

struct LogLine {
  std::int64_t number = 1;    // from 1
  std::string text;           // as it was printed, without its newline
  bool is_error = false;      // of standard error
  std::string at = {};        // RFC 3339
  std::int64_t left_out = 0;  // bytes of the line that `text` does not have
};
struct LogHits {
  std::string query;
  std::int64_t lines = 0;                  // that match
  bool is_whole = true;                    // false: the search ended before the log did
  std::vector<std::int64_t> numbers = {};  // of the first ones
  std::vector<LogLine> shown = {};         // some of them, for a page without a script
  std::string problem = {};                // of the pattern
};
struct LogView {
  std::string run, step;      // step empty: nothing has been printed
  int number = 1, tries = 1;  // the try, and how many there are
  std::int64_t total = 0;     // lines so far
  bool is_live = false;       // more may come
  std::int64_t from = 1;      // of the first of `lines`
  std::vector<LogLine> lines = {};
  LogHits hits = {};
};
inline constexpr std::int64_t kLinesOfAPage = 500;  // without a script

[[nodiscard]] Html log_panel(const LogView& view);
// What the script fetches: only the lines, and how many there are.
[[nodiscard]] std::string log_fragment(const LogView& view);
// What the script fetches of a search: the numbers, and the count in words.
[[nodiscard]] std::string hits_fragment(const LogHits& hits);
// The address of a step's log with its parameters; `from` 0: its beginning or its end, as fits.
[[nodiscard]] std::string log_link(const std::string& run, const std::string& step, int number, std::int64_t from);

}  // namespace stella::page
