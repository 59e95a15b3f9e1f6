// SPDX-License-Identifier: Apache-2.0
// What the pages of a run show, read from the journal and the run's folder. A worker's thread.
#pragma once

#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/logs/lines.hpp"
#include "appliance/page/run.hpp"

namespace stella::console {

// Of a visitor: who, and what forms are for them; the notice that the last form asked for by `done`.
[[nodiscard]] page::Frame frame_of(Desk& desk, const Visit& visit);

// The query says which log (step, try, from, q), how much of it (part=live: its length only), which events (events: up
// to that number), which group (group, member), and view=graph.
[[nodiscard]] page::RunView run_view(Desk& desk, const journal::RunRow& row, const Visit& visit);

// Of the step that `step` names, at `try`; the newest when it is 0. `count` lines from `from`, 0: the end.
struct LogWish {
  std::string step;
  int number = 0;
  std::uint64_t from = 0;
  std::size_t count = 0;
};
[[nodiscard]] page::LogView log_view(const journal::RunRow& row, const canon::Json& summary, const LogWish& wish);
[[nodiscard]] page::LogLine shown_line(const logs::TextLine& line);
// The lines that match the RE2 pattern, letters of either case: how many, the numbers of the first 1,000, and `shown`
// of them. A query that is no pattern is the result's `problem`.
[[nodiscard]] page::LogHits find_in_log(const logs::OneTry& one, const std::string& query, std::size_t shown);

}  // namespace stella::console
