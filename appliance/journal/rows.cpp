// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/journal/store.hpp"
#include "appliance/journal/visible.hpp"

namespace stella::journal {
namespace {

constexpr std::string_view kColumns =
    "id, tenant, pack, version, pack_digest, plan_hash, state, code, reason, requested_by, attempt, created, updated, "
    "folder, detail";

std::int64_t millis(clock::Time time) {
  return time.time_since_epoch().count();
}
clock::Time from_millis(std::int64_t value) {
  return clock::Time(clock::Duration(value));
}

RunRow read_row(const Journal::State& state, const database::Statement& row) {
  RunRow run;
  run.id = row.text(0);
  run.tenant = row.text(1);
  run.pack = row.text(2);
  run.version = row.text(3);
  run.pack_digest = row.text(4);
  run.plan_hash = row.text(5);
  run.state = row.text(6);
  run.code = row.text(7);
  run.reason = row.text(8);
  run.requested_by = row.text(9);
  run.attempt = static_cast<int>(row.integer(10));
  run.created = from_millis(row.integer(11));
  run.updated = from_millis(row.integer(12));
  const std::string folder = row.text(13);
  if (folder != folder_name(run.id))  // the name is a function of the id: another one would lead elsewhere
    throw fault::Error(fault::Code::journal_tampered, "folder",
                       fmt::format("run {} does not lie in its own folder", run.id), run.id);
  run.folder = state.runs + "/" + folder;
  run.detail = canon::parse_json(row.text(14), fault::Code::journal_tampered, run.id);
  return run;
}

// The next number of the whole home; the caller has a transaction open.
std::int64_t next_revision(const Journal::State& state) {
  state.statement("UPDATE revision SET value=value+1")->run();
  const auto row = state.statement("SELECT value FROM revision");
  return row->step() ? row->integer(0) : 0;
}

}  // namespace

void insert_row(const Journal::State& state, const RunRow& row, const std::string& folder, const Head& head) {
  auto insert = state.connection.prepare(
      fmt::format("INSERT INTO runs ({}, seq, head, revision) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kColumns));
  int at = 1;
  for (const auto* text : {&row.id, &row.tenant, &row.pack, &row.version, &row.pack_digest, &row.plan_hash, &row.state,
                           &row.code, &row.reason, &row.requested_by})
    insert.bind(at++, *text);
  insert.bind(at++, std::int64_t{row.attempt});
  insert.bind(at++, millis(row.created));
  insert.bind(at++, millis(row.updated));
  insert.bind(at++, folder);
  insert.bind(at++, canon::canonical(row.detail));
  insert.bind(at++, head.seq);
  insert.bind(at++, head.hash);
  insert.bind(at, next_revision(state));
  insert.run();
}

void update_row(const Journal::State& state, const RunRow& row, const Head& head) {
  const auto kept = state.statement(
      "UPDATE runs SET plan_hash=?, state=?, code=?, reason=?, requested_by=?, attempt=?, updated=?, detail=?, seq=?, "
      "head=?, revision=? "
      "WHERE id=?");
  auto& update = *kept;
  int at = 1;
  for (const auto* text : {&row.plan_hash, &row.state, &row.code, &row.reason, &row.requested_by})
    update.bind(at++, *text);
  update.bind(at++, std::int64_t{row.attempt});
  update.bind(at++, millis(row.updated));
  update.bind(at++, canon::canonical(row.detail));
  update.bind(at++, head.seq);
  update.bind(at++, head.hash);
  update.bind(at++, next_revision(state));
  update.bind(at, row.id);
  update.run();
}

std::optional<RunRow> find_row(const Journal::State& state, const std::string& run) {
  static const std::string kSql = fmt::format("SELECT {} FROM runs WHERE id=?", kColumns);
  const auto row = state.statement(kSql);
  row->bind(1, run);
  if (!row->step()) return std::nullopt;
  return read_row(state, *row);
}

Head recorded_head(const Journal::State& state, const std::string& run) {
  const auto row = state.statement("SELECT seq, head FROM runs WHERE id=?");
  row->bind(1, run);
  if (!row->step()) return {0, std::string(kNoHead)};
  return {row->integer(0), row->text(1)};
}

std::vector<RunRow> select_rows(const Journal::State& state, const Journal::Filter& filter, bool oldest_first) {
  // Only the conditions that are asked for: each is an index of its own, in the order of time.
  std::string where;
  std::vector<const std::string*> values;
  const auto add = [&](std::string_view column, const std::string& value) {
    if (value.empty()) return;
    where += fmt::format("{} {}=?", values.empty() ? "WHERE" : " AND", column);
    values.push_back(&value);
  };
  add("tenant", filter.tenant);
  add("state", filter.state);
  add("pack", filter.pack);
  if (filter.since) where += fmt::format("{} created>=?", values.empty() ? "WHERE" : " AND");
  const char* way = oldest_first ? "ASC" : "DESC";
  const auto kept = state.statement(
      fmt::format("SELECT {} FROM runs {} ORDER BY created {}, id {} LIMIT ?", kColumns, where, way, way));
  auto& rows = *kept;
  int at = 1;
  for (const std::string* value : values) rows.bind(at++, *value);
  if (filter.since) rows.bind(at++, millis(*filter.since));
  rows.bind(at, sees_everything() ? static_cast<std::int64_t>(filter.limit) : -1);
  std::vector<RunRow> found;
  while (found.size() < filter.limit && rows.step()) {
    RunRow row = read_row(state, rows);
    if (is_visible(row.tenant)) found.push_back(std::move(row));
  }
  return found;
}

std::vector<Journal::Change> select_changes(const Journal::State& state, std::int64_t after, std::size_t limit) {
  static const std::string kSql =
      fmt::format("SELECT {}, seq, revision FROM runs WHERE revision>? ORDER BY revision LIMIT ?", kColumns);
  const auto rows = state.statement(kSql);
  rows->bind(1, after);
  rows->bind(2, static_cast<std::int64_t>(limit));
  std::vector<Journal::Change> found;
  while (rows->step()) found.push_back({read_row(state, *rows), rows->integer(15), rows->integer(16)});
  return found;
}

}  // namespace stella::journal
