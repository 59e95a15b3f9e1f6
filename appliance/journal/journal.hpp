// SPDX-License-Identifier: Apache-2.0
// The run journal: the only publisher. SQLite (WAL, synchronous=FULL); each run's events are numbered from 1 without
// gaps and chained by SHA-256 (contract section 13). A Journal belongs to one thread; several processes may open one
// home.
//
// Kept narrow and free of SQLite's accents: the same interface will sit on PostgreSQL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::journal {

struct Event {
  std::int64_t seq = 0;
  clock::Time at{};
  std::string type, run, step;  // step empty: of the run
  int attempt = 1;
  std::string prev;  // SHA-256 hex of the previous line, 64 zeros first
  canon::Json data;
  std::string line;  // the RFC 8785 object {seq, at, type, run, step?, attempt, prev, data}, without newline
};
struct NewEvent {
  std::string type, step = {};
  canon::Json data = {};
};

struct RunRow {  // a cache of what the events say; never decides at a gate
  std::string id, tenant, pack, version, pack_digest, plan_hash, state, code, reason, requested_by;
  int attempt = 1;
  clock::Time created{}, updated{};
  std::string folder;  // absolute
  canon::Json detail;  // what the run room wants to find again quickly
};
struct RunChange {  // what is absent stays
  std::optional<std::string> state = {}, code = {}, reason = {}, plan_hash = {}, requested_by = {};
  std::optional<int> attempt = {};
  std::optional<canon::Json> detail = {};
};
// What stays of a run that was pruned: a chain of its own over the whole home, so that a removal cannot be undone or
// hidden (docs/formats/journal.md).
struct Pruned {
  std::int64_t number = 0;  // from 1 without gaps
  std::string run, tenant, pack, version, state, code;
  std::int64_t last_seq = 0;
  std::string head;  // of the run's journal: SHA-256 hex of its last line
  clock::Time at{};
  std::string by, why;
  std::string prev;  // SHA-256 hex of the entry before it, 64 zeros first
  std::string line;  // the RFC 8785 object of the entry, without newline
};
struct Removal {
  std::string by, why;      // who, and the rule or reason
  canon::Json totals = {};  // what the run adds to sums over the home (telemetry): kept when the run goes
};
// What a removed run leaves to sums over the whole home. Not part of the chain: it proves nothing.
struct Remains {
  std::int64_t number = 0;  // of its Pruned
  std::string run;
  std::int64_t last_seq = 0;
  canon::Json totals;  // null: removed without
};
struct Hold {  // the run is not pruned while it stands
  std::string run, who, reason;
  clock::Time at{};
};

struct Head {
  std::int64_t seq = 0;
  std::string hash;
};  // hash of the last line; seq 0 and 64 zeros when there is none

// Held: no other process runs this run; dies with the process. Kept per process (POSIX lock), so a second one in the
// same process is not noticed.
class RunLock {
 public:
  explicit RunLock(files::Fd fd) : fd_(std::move(fd)) {}

 private:
  files::Fd fd_;
};

class Journal {
 public:
  static Journal open(
      const files::Home& home);  // ERR_JOURNAL_TAMPERED for a file that is no journal or of a newer version
  Journal(Journal&&) noexcept;
  ~Journal();

  // Makes the row, the folder runs/<id with _ for :>/ and event 1 in one go; the id run:TENANT:<compact time> is
  // unique. draft.folder, when not empty, is a prepared folder beneath the same runs/: it is renamed to the run's
  // folder, so that a run that is in the journal always has all its files.
  RunRow create_run(const RunRow& draft, const NewEvent& submitted, clock::Time now);
  // On a full disk the space held back in runs/.reserve is given up for it (reserve.hpp).
  // Appends in one durable transaction with the row; `at` never goes back. ERR_USAGE `state`: chaos in an ended run.
  std::vector<Event> append(const std::string& run, std::span<const NewEvent> events, const RunChange& change,
                            clock::Time now);
  [[nodiscard]] std::vector<Event> events(const std::string& run, std::int64_t after_seq = 0) const;
  // One event at a time, in order, in memory that does not grow with the run. The visitor may not use this Journal.
  using Visitor = std::function<void(const Event&)>;
  void for_each_event(const std::string& run, std::int64_t after_seq, const Visitor& visit) const;
  // verify_chain and for_each_event in one pass: each event is checked before the visitor sees it, the end of the chain
  // after the last.
  Head verify_each(const std::string& run, const Visitor& visit) const;
  [[nodiscard]] RunRow need(const std::string& run) const;  // ERR_RUN_NOT_FOUND
  struct Filter {                                           // empty: any
    std::string tenant = {}, state = {}, pack = {};
    std::size_t limit = 100;
    std::optional<clock::Time> since = {};  // created then or later
  };
  [[nodiscard]] std::vector<RunRow> list(const Filter& filter) const;  // newest first
  [[nodiscard]] Head head(const std::string& run) const;
  // Runs in `state`, oldest first, of all tenants: for what is due by time.
  [[nodiscard]] std::vector<RunRow> in_state(const std::string& state) const;
  // For readers that follow the whole home (telemetry, notifications, the console): each commit about a run gives that
  // run the home's next revision. Runs whose revision is above `after`, in the order of their last commit; then
  // for_each_event(row.id, <the seq seen before>) gives what is new of each. A removed run is in pruned() instead.
  struct Change {
    RunRow row;
    std::int64_t last_seq = 0;
    std::int64_t revision = 0;
  };
  [[nodiscard]] std::vector<Change> changes(std::int64_t after, std::size_t limit = 1000) const;
  // Differs from its last value when any other process or Journal has written since: cheap enough to ask 50 times a
  // second. What this very Journal writes does not change it.
  [[nodiscard]] std::int64_t data_version() const;
  void verify_chain(const std::string& run) const;  // ERR_JOURNAL_TAMPERED, at the first event that does not follow
  [[nodiscard]] RunLock lock_run(const RunRow& run) const;  // ERR_RUN_BUSY, naming the process
  // Nothing when another process has the run.
  [[nodiscard]] std::optional<RunLock> try_lock_run(const RunRow& run) const;

  // Holds: anybody's; a run may have one, a new one takes the old one's place. ERR_RUN_NOT_FOUND.
  void hold(const std::string& run, const std::string& reason, const std::string& who, clock::Time now);
  bool release(const std::string& run);  // false: there was none
  [[nodiscard]] std::optional<Hold> hold_of(const std::string& run) const;
  [[nodiscard]] std::vector<Hold> holds() const;  // by time
  // Takes a run out of the journal and records that, in one durable transaction; then its folder is removed. The caller
  // holds the run's lock. ERR_USAGE reason `held` when a hold stands, `state` when the run has not ended. A crash
  // between leaves a folder without a run: sweep() removes it.
  Pruned remove_run(const std::string& run, const Removal& removal, clock::Time now);
  [[nodiscard]] std::vector<Pruned> pruned() const;  // by number; the chain is verified: ERR_JOURNAL_TAMPERED
  // What removals after number `after` have left, by number. Cheaper than pruned(): the chain is not verified.
  [[nodiscard]] std::vector<Remains> remains(std::int64_t after) const;
  void sweep() const;  // folders of runs that `pruned` names and that still lie there

  struct State;  // of the room

 private:
  std::vector<Event> append_once(const std::string& run, std::span<const NewEvent> events, const RunChange& change,
                                 clock::Time now);
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stella::journal
