// SPDX-License-Identifier: Apache-2.0
// The tables of the journal and the lines in them; only this room includes it.
#pragma once

#include <map>
#include <string>

#include "appliance/journal/journal.hpp"
#include "bundles/database/connection.hpp"

namespace stella::journal {

// A prepared statement that is kept for the next use; reset when this goes, so that no read stays open.
class Kept {
 public:
  explicit Kept(database::Statement& statement) : statement_(&statement) {}
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() { statement_->reset(); }
  database::Statement* operator->() const noexcept { return statement_; }
  database::Statement& operator*() const noexcept { return *statement_; }

 private:
  database::Statement* statement_;
};

struct Journal::State {
  std::string runs;  // the folder
  database::Connection connection;
  mutable std::map<std::string, database::Statement, std::less<>> kept = {};  // by their text

  [[nodiscard]] Kept statement(std::string_view sql) const;
};

// Several reads of one state of the file, without a writer's lock.
class Snapshot {
 public:
  explicit Snapshot(const database::Connection& connection) : connection_(&connection) { connection.execute("BEGIN"); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

 private:
  const database::Connection* connection_;
};

// Opens runs/journal.db; one of an older version is brought to this one, a copy of it stays as journal.v<N>.db.
[[nodiscard]] database::Connection open_file(const std::string& runs);

// Whether a removed run had this id: an id is never used again.
[[nodiscard]] bool was_pruned(const Journal::State& state, const std::string& run);

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
[[nodiscard]] std::vector<Journal::Change> select_changes(const Journal::State& state, std::int64_t after,
                                                          std::size_t limit);

}  // namespace stella::journal
