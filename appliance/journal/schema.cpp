// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "appliance/journal/store.hpp"
#include "bundles/files/write.hpp"

namespace stella::journal {
namespace {

constexpr std::int32_t kApplication = 0x73746c6a;  // "stlj"

// Each leads from the version before it to its own, in one transaction with all that follow it. What was released is
// never changed.
constexpr std::string_view kFirst =
    "CREATE TABLE runs (id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, pack TEXT NOT NULL, version TEXT NOT NULL,"
    " pack_digest TEXT NOT NULL, plan_hash TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT "
    "NULL,"
    " requested_by TEXT NOT NULL, attempt INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    " folder TEXT NOT NULL, detail TEXT NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX runs_by_time ON runs (created);"
    "CREATE INDEX runs_by_state ON runs (state, created);"
    "CREATE TABLE events (run TEXT NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL, line TEXT NOT NULL,"
    " PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;";
constexpr std::string_view kHoldsAndRemovals =
    "CREATE INDEX runs_by_tenant ON runs (tenant, created);"
    "CREATE INDEX runs_by_pack ON runs (pack, created);"
    "CREATE TABLE holds (run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id), who TEXT NOT NULL, reason TEXT NOT NULL,"
    " at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE pruned (number INTEGER NOT NULL PRIMARY KEY, run TEXT NOT NULL UNIQUE, line TEXT NOT NULL) STRICT;";
// A number that grows with each commit about any run, for readers that follow the whole home.
constexpr std::string_view kRevisions =
    "CREATE TABLE revision (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), value INTEGER NOT NULL) STRICT;"
    "ALTER TABLE runs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"
    "UPDATE runs SET revision = (SELECT count(*) FROM runs AS before WHERE (before.updated, before.id) <= "
    "(runs.updated, runs.id));"
    "INSERT INTO revision (one, value) SELECT 1, count(*) FROM runs;"
    "CREATE INDEX runs_by_revision ON runs (revision);";
// What a removed run adds to the metrics' sums; empty for those that an older stella removed.
constexpr std::string_view kTotals = "ALTER TABLE pruned ADD COLUMN totals TEXT NOT NULL DEFAULT '';";
constexpr std::array kSteps = {kFirst, kHoldsAndRemovals, kRevisions, kTotals};

bool is_there(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

// Before the first change: whoever has to go back to the older stella finds the journal as that one left it.
void keep_copy(const database::Connection& connection, const std::string& runs) {
  auto row = connection.prepare("PRAGMA user_version");
  const std::int64_t version = row.step() ? row.integer(0) : 0;
  row.reset();
  if (version < 1 || version >= static_cast<std::int64_t>(kSteps.size())) return;
  const std::string copy = fmt::format("{}/journal.v{}.db", runs, version);
  if (is_there(copy)) return;
  const std::string part = fmt::format("{}.{}.part", copy, ::getpid());
  (void)::unlink(part.c_str());
  connection.copy_to(part);
  files::crash_point("journal.copied");
  if (::rename(part.c_str(), copy.c_str()) != 0) throw fault::system_error(errno, "keeping a copy as", copy);
  files::sync_folder(runs);
}

}  // namespace

database::Connection open_file(const std::string& runs) {
  const database::Options options{
      .damaged = fault::Code::journal_tampered, .busy = fault::Code::run_busy, .wait = std::chrono::seconds(20)};
  auto connection = database::Connection::open(runs + "/journal.db", options);
  keep_copy(connection, runs);
  connection.migrate(kApplication, kSteps);
  return connection;
}

Kept Journal::State::statement(std::string_view sql) const {
  auto found = kept.find(sql);
  if (found == kept.end()) found = kept.emplace(std::string(sql), connection.prepare(sql)).first;
  return Kept(found->second);
}

Snapshot::~Snapshot() {
  try {
    connection_->execute("COMMIT");
  } catch (const fault::Error&) {  // nothing was written: there is nothing to lose
  }
}

}  // namespace stella::journal
