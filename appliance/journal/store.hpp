// SPDX-License-Identifier: Apache-2.0
// The tables of the journal and the lines in them; only this room includes it.
#pragma once

#include <string>

#include "appliance/journal/journal.hpp"
#include "bundles/database/connection.hpp"

namespace stella::journal {

struct Journal::State {
  std::string runs;  // the folder
  database::Connection connection;
};

// The RFC 8785 line of an event, without newline; `event.line` is not read.
[[nodiscard]] std::string line_of(const Event& event);
// ERR_JOURNAL_TAMPERED for a line that no journal wrote.
[[nodiscard]] Event parse_line(const std::string& line, const std::string& at);
[[nodiscard]] std::string hash_of(const std::string& line);
inline constexpr std::string_view kNoHead = "0000000000000000000000000000000000000000000000000000000000000000";

[[nodiscard]] std::string folder_name(const std::string& run);  // run:t:x -> run_t_x
void insert_row(const Journal::State& state, const RunRow& row, const std::string& folder, const Head& head);
void update_row(const Journal::State& state, const RunRow& row, const Head& head);
[[nodiscard]] std::optional<RunRow> find_row(const Journal::State& state, const std::string& run);
[[nodiscard]] Head recorded_head(const Journal::State& state, const std::string& run);
[[nodiscard]] std::vector<RunRow> select_rows(const Journal::State& state, const Journal::Filter& filter,
                                              bool oldest_first);

}  // namespace stella::journal
