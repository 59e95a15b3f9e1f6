// SPDX-License-Identifier: Apache-2.0
// Holds, and the removal of runs with what stays of them.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "appliance/journal/reserve.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/journal/store.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::journal {
namespace {

using fault::Code;
using fault::Error;

constexpr std::int64_t kMax = std::int64_t{1} << 53;

std::string line_of(const Pruned& one) {
  return canon::canonical({{"number", one.number},
                           {"run", one.run},
                           {"tenant", one.tenant},
                           {"pack", one.pack},
                           {"version", one.version},
                           {"state", one.state},
                           {"code", one.code},
                           {"lastSeq", one.last_seq},
                           {"head", one.head},
                           {"at", clock::format_millis(one.at)},
                           {"by", one.by},
                           {"why", one.why},
                           {"prev", one.prev}});
}

Pruned parse_pruned(const std::string& line, const std::string& at) {
  const canon::Json object = canon::parse_json(line, Code::journal_tampered, at);
  canon::Fields fields(object, Code::journal_tampered, "removal", at);
  Pruned one;
  one.number = fields.integer("number", 1, kMax);
  one.run = fields.text("run");
  one.tenant = fields.text("tenant");
  one.pack = fields.text("pack");
  one.version = fields.text("version");
  one.state = fields.text("state");
  one.code = fields.text("code");
  one.last_seq = fields.integer("lastSeq", 0, kMax);
  one.head = fields.text("head");
  one.at = clock::parse_time(fields.text("at"), Code::journal_tampered, at);
  one.by = fields.text("by");
  one.why = fields.text("why");
  one.prev = fields.text("prev");
  fields.finish();
  one.line = line;
  return one;
}

Pruned next_removal(const Journal::State& state) {
  const auto last = state.statement("SELECT number, line FROM pruned ORDER BY number DESC LIMIT 1");
  Pruned next;
  next.number = 1;
  next.prev = std::string(kNoHead);
  if (last->step()) {
    next.number = last->integer(0) + 1;
    next.prev = hash_of(last->text(1));
  }
  return next;
}

void delete_run(const Journal::State& state, const std::string& run) {
  for (const std::string_view sql :
       {"DELETE FROM holds WHERE run=?", "DELETE FROM events WHERE run=?", "DELETE FROM runs WHERE id=?"}) {
    const auto statement = state.statement(sql);
    statement->bind(1, run);
    statement->run();
  }
}

Hold read_hold(const database::Statement& row) {
  return {row.text(0), row.text(1), row.text(2), clock::Time(clock::Duration(row.integer(3)))};
}

Pruned remove_once(const Journal& journal, const Journal::State& state, const std::string& run, const Removal& removal,
                   clock::Time now) {
  database::Transaction transaction(state.connection);
  const RunRow row = journal.need(run);
  if (!is_final(row.state))
    throw Error(Code::usage, "state", fmt::format("{} has not ended: it is {}", run, row.state), run,
                fmt::format("Cancel it first: `stella pack runs cancel --run {}`.", run));
  if (const auto hold = journal.hold_of(run))
    throw Error(Code::usage, "held", fmt::format("{} is held by {}: {}", run, hold->who, hold->reason), run,
                fmt::format("`stella pack runs release {}` lets it go.", run));
  const Head last = recorded_head(state, run);
  Pruned entry = next_removal(state);
  entry.run = run;
  entry.tenant = row.tenant;
  entry.pack = row.pack;
  entry.version = row.version;
  entry.state = row.state;
  entry.code = row.code;
  entry.last_seq = last.seq;
  entry.head = last.hash;
  entry.at = now;
  entry.by = removal.by;
  entry.why = removal.why;
  entry.line = line_of(entry);
  delete_run(state, run);
  {
    const auto insert = state.statement("INSERT INTO pruned (number, run, line, totals) VALUES (?,?,?,?)");
    insert->bind(1, entry.number);
    insert->bind(2, run);
    insert->bind(3, entry.line);
    insert->bind(4, removal.totals.is_null() ? std::string() : canon::canonical(removal.totals));
    insert->run();
  }
  transaction.commit();
  return entry;
}

// What is large goes first: on a full disk that is what makes room for the rest.
void remove_folder(const std::string& folder) {
  for (const char* part : {"/artifacts", "/work", "/pack", "/evidence"}) files::remove_tree(folder + part);
  files::remove_tree(folder);
}

}  // namespace

bool was_pruned(const Journal::State& state, const std::string& run) {
  const auto row = state.statement("SELECT 1 FROM pruned WHERE run=?");
  row->bind(1, run);
  return row->step();
}

void Journal::hold(const std::string& run, const std::string& reason, const std::string& who, clock::Time now) {
  database::Transaction transaction(state_->connection);
  (void)need(run);
  {
    const auto put = state_->statement("INSERT OR REPLACE INTO holds (run, who, reason, at) VALUES (?,?,?,?)");
    put->bind(1, run);
    put->bind(2, who);
    put->bind(3, reason);
    put->bind(4, std::int64_t{now.time_since_epoch().count()});
    put->run();
  }
  transaction.commit();
}

bool Journal::release(const std::string& run) {
  database::Transaction transaction(state_->connection);
  (void)need(run);
  const bool stood = hold_of(run).has_value();
  {
    const auto remove = state_->statement("DELETE FROM holds WHERE run=?");
    remove->bind(1, run);
    remove->run();
  }
  transaction.commit();
  return stood;
}

std::optional<Hold> Journal::hold_of(const std::string& run) const {
  const auto row = state_->statement("SELECT run, who, reason, at FROM holds WHERE run=?");
  row->bind(1, run);
  if (!row->step()) return std::nullopt;
  return read_hold(*row);
}

std::vector<Hold> Journal::holds() const {
  const auto row = state_->statement("SELECT run, who, reason, at FROM holds ORDER BY at, run");
  std::vector<Hold> found;
  while (row->step()) found.push_back(read_hold(*row));
  return found;
}

Pruned Journal::remove_run(const std::string& run, const Removal& removal, clock::Time now) {
  const std::string folder = need(run).folder;
  const auto record = [&] {
    try {
      return remove_once(*this, *state_, run, removal, now);
    } catch (const Error& error) {
      if (error.code() != Code::no_space || !release_reserve(state_->runs)) throw;
      return remove_once(*this, *state_, run, removal, now);
    }
  };
  Pruned entry = record();
  files::crash_point("run.pruned");
  remove_folder(folder);
  return entry;
}

std::vector<Pruned> Journal::pruned() const {
  const auto rows = state_->statement("SELECT number, run, line FROM pruned ORDER BY number");
  std::vector<Pruned> found;
  std::string prev(kNoHead);
  while (rows->step()) {
    Pruned one = parse_pruned(rows->text(2), rows->text(1));
    const bool follows = one.number == static_cast<std::int64_t>(found.size()) + 1 && one.number == rows->integer(0) &&
                         one.run == rows->text(1) && one.prev == prev && line_of(one) == one.line;
    if (!follows)
      throw Error(Code::journal_tampered, "chain",
                  fmt::format("removal {} does not follow the one before it", rows->integer(0)), rows->text(1));
    prev = hash_of(one.line);
    found.push_back(std::move(one));
  }
  return found;
}

std::vector<Remains> Journal::remains(std::int64_t after) const {
  const auto rows = state_->statement("SELECT number, run, line, totals FROM pruned WHERE number>? ORDER BY number");
  rows->bind(1, after);
  std::vector<Remains> found;
  while (rows->step()) {
    Remains one{.number = rows->integer(0), .run = rows->text(1), .totals = {}};
    one.last_seq = parse_pruned(rows->text(2), one.run).last_seq;
    if (const std::string totals = rows->text(3); !totals.empty())
      one.totals = canon::parse_json(totals, Code::journal_tampered, one.run);
    found.push_back(std::move(one));
  }
  return found;
}

void Journal::sweep() const {
  for (const Pruned& one : pruned()) {
    const std::string folder = state_->runs + "/" + folder_name(one.run);
    struct stat found {};
    if (one.run.find('/') == std::string::npos && ::lstat(folder.c_str(), &found) == 0) remove_folder(folder);
  }
}

}  // namespace stella::journal
