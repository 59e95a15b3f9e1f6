// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/journal/store.hpp"

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

}  // namespace

void insert_row(const Journal::State& state, const RunRow& row, const std::string& folder, const Head& head) {
  auto insert = state.connection.prepare(
      fmt::format("INSERT INTO runs ({}, seq, head) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kColumns));
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
  insert.bind(at, head.hash);
  insert.run();
}

void update_row(const Journal::State& state, const RunRow& row, const Head& head) {
  auto update = state.connection.prepare(
      "UPDATE runs SET plan_hash=?, state=?, code=?, reason=?, requested_by=?, attempt=?, updated=?, detail=?, seq=?, "
      "head=? "
      "WHERE id=?");
  int at = 1;
  for (const auto* text : {&row.plan_hash, &row.state, &row.code, &row.reason, &row.requested_by})
    update.bind(at++, *text);
  update.bind(at++, std::int64_t{row.attempt});
  update.bind(at++, millis(row.updated));
  update.bind(at++, canon::canonical(row.detail));
  update.bind(at++, head.seq);
  update.bind(at++, head.hash);
  update.bind(at, row.id);
  update.run();
}

std::optional<RunRow> find_row(const Journal::State& state, const std::string& run) {
  auto row = state.connection.prepare(fmt::format("SELECT {} FROM runs WHERE id=?", kColumns));
  row.bind(1, run);
  if (!row.step()) return std::nullopt;
  return read_row(state, row);
}

Head recorded_head(const Journal::State& state, const std::string& run) {
  auto row = state.connection.prepare("SELECT seq, head FROM runs WHERE id=?");
  row.bind(1, run);
  if (!row.step()) return {0, std::string(kNoHead)};
  return {row.integer(0), row.text(1)};
}

std::vector<RunRow> select_rows(const Journal::State& state, const Journal::Filter& filter, bool oldest_first) {
  // An empty filter value matches everything: `?1 = ''` keeps one statement for all combinations.
  auto rows = state.connection.prepare(
      fmt::format("SELECT {} FROM runs WHERE (?1='' OR tenant=?1) AND (?2='' OR state=?2) AND (?3='' OR pack=?3) "
                  "ORDER BY created {}, id {} LIMIT ?4",
                  kColumns, oldest_first ? "ASC" : "DESC", oldest_first ? "ASC" : "DESC"));
  rows.bind(1, filter.tenant);
  rows.bind(2, filter.state);
  rows.bind(3, filter.pack);
  rows.bind(4, static_cast<std::int64_t>(filter.limit));
  std::vector<RunRow> found;
  while (rows.step()) found.push_back(read_row(state, rows));
  return found;
}

}  // namespace stella::journal
