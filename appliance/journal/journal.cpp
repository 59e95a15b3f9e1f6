// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/journal.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "appliance/journal/reserve.hpp"
#include "appliance/journal/states.hpp"
#include "appliance/journal/store.hpp"
#include "appliance/journal/visible.hpp"
#include "bundles/files/write.hpp"

namespace stella::journal {
namespace {

using fault::Code;
using fault::Error;

Event made_event(const RunRow& row, const NewEvent& draft, const Head& head, clock::Time at) {
  Event event{.seq = head.seq + 1,
              .at = at,
              .type = draft.type,
              .run = row.id,
              .step = draft.step,
              .attempt = row.attempt,
              .prev = head.hash,
              .data = draft.data.is_null() ? canon::Json::object() : draft.data,
              .line = {}};
  event.line = line_of(event);
  return event;
}

void insert_event(const Journal::State& state, const Event& event) {
  const auto insert = state.statement("INSERT INTO events (run, seq, line) VALUES (?,?,?)");
  insert->bind(1, event.run);
  insert->bind(2, event.seq);
  insert->bind(3, event.line);
  insert->run();
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

// The first time at or after `now` whose id and folder are both free: a crash may have left a folder without a row.
std::string free_id(const Journal::State& state, const std::string& tenant, clock::Time now) {
  for (auto at = now;; at += std::chrono::milliseconds(1)) {
    std::string id = fmt::format("run:{}:{}", tenant, clock::format_compact(at));
    if (!find_row(state, id) && !was_pruned(state, id) && !exists(state.runs + "/" + folder_name(id))) return id;
  }
}

void settle_folder(const std::string& prepared, const std::string& folder) {
  if (prepared.empty()) {
    files::make_folders(folder, 0700);
  } else if (std::rename(prepared.c_str(), folder.c_str()) != 0) {
    throw fault::system_error(errno, "moving the prepared run to", folder);
  }
  files::sync_folder(folder.substr(0, folder.rfind('/')));
}

void apply_change(RunRow& row, const RunChange& change) {
  if (change.state) row.state = *change.state;
  if (change.code) row.code = *change.code;
  if (change.reason) row.reason = *change.reason;
  if (change.plan_hash) row.plan_hash = *change.plan_hash;
  if (change.requested_by) row.requested_by = *change.requested_by;
  if (change.attempt) row.attempt = *change.attempt;
  if (change.detail) row.detail = *change.detail;
}

// Here, because only the transaction knows whether the run's process has just ended it.
void require_under_way(const RunRow& row, std::span<const NewEvent> drafts) {
  const auto is_chaos = [](const NewEvent& draft) { return draft.type == "pack.chaos.injected"; };
  if (!is_final(row.state) || std::none_of(drafts.begin(), drafts.end(), is_chaos)) return;
  throw Error(Code::usage, "state", fmt::format("{} has ended already: it is {}", row.id, row.state), row.id,
              "A chaos hook is for a run that is planned, runs, waits or is paused.");
}

Error broken(const std::string& run, std::int64_t seq, const std::string& what) {
  return Error(Code::journal_tampered, "chain", fmt::format("event {} of {} {}", seq, run, what), run);
}

// SQLite wants 32 KiB for its index of the log before anything can be read.
database::Connection open_with_room(const std::string& runs) {
  try {
    return open_file(runs);
  } catch (const Error& error) {
    if (error.code() != Code::no_space || !release_reserve(runs)) throw;
    return open_file(runs);
  }
}

}  // namespace

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal::~Journal() = default;

Journal Journal::open(const files::Home& home) {
  files::make_folders(home.runs(), 0700);
  auto connection = open_with_room(home.runs());
  keep_reserve(home.runs());
  return Journal(std::make_unique<State>(State{home.runs(), std::move(connection)}));
}

RunRow Journal::create_run(const RunRow& draft, const NewEvent& submitted, clock::Time now) {
  database::Transaction transaction(state_->connection);
  RunRow row = draft;
  row.id = free_id(*state_, draft.tenant, now);
  row.folder = state_->runs + "/" + folder_name(row.id);
  row.created = row.updated = now;
  if (row.detail.is_null()) row.detail = canon::Json::object();
  settle_folder(draft.folder, row.folder);
  const Event event = made_event(row, submitted, {0, std::string(kNoHead)}, now);
  insert_row(*state_, row, folder_name(row.id), {event.seq, hash_of(event.line)});
  insert_event(*state_, event);
  transaction.commit();
  return row;
}

std::vector<Event> Journal::append(const std::string& run, std::span<const NewEvent> drafts, const RunChange& change,
                                   clock::Time now) {
  try {
    return append_once(run, drafts, change, now);
  } catch (const Error& error) {
    if (error.code() != Code::no_space || !release_reserve(state_->runs)) throw;
    return append_once(run, drafts, change, now);
  }
}

std::vector<Event> Journal::append_once(const std::string& run, std::span<const NewEvent> drafts,
                                        const RunChange& change, clock::Time now) {
  database::Transaction transaction(state_->connection);
  RunRow row = need(run);
  require_under_way(row, drafts);
  Head last = head(run);
  const Head recorded = recorded_head(*state_, run);
  if (last.seq != recorded.seq || last.hash != recorded.hash)
    throw broken(run, last.seq, "is not the last one that was recorded");
  apply_change(row, change);
  const clock::Time at = std::max(now, row.updated);
  row.updated = at;
  std::vector<Event> made;
  for (const NewEvent& draft : drafts) {
    made.push_back(made_event(row, draft, last, at));
    insert_event(*state_, made.back());
    last = {made.back().seq, hash_of(made.back().line)};
  }
  update_row(*state_, row, last);
  transaction.commit();
  return made;
}

std::vector<Event> Journal::events(const std::string& run, std::int64_t after_seq) const {
  std::vector<Event> found;
  for_each_event(run, after_seq, [&](const Event& event) { found.push_back(event); });
  return found;
}

void Journal::for_each_event(const std::string& run, std::int64_t after_seq, const Visitor& visit) const {
  const auto rows = state_->statement("SELECT seq, line FROM events WHERE run=? AND seq>? ORDER BY seq");
  rows->bind(1, run);
  rows->bind(2, after_seq);
  while (rows->step()) {
    const Event event = parse_line(rows->text(1), run);
    if (event.seq != rows->integer(0)) throw broken(run, rows->integer(0), "has another number in its line");
    visit(event);
  }
}

RunRow Journal::need(const std::string& run) const {
  if (auto row = find_row(*state_, run); row && is_visible(row->tenant)) return *row;
  throw Error(Code::run_not_found, "run", fmt::format("there is no run {} in this home", run), run);
}

std::vector<RunRow> Journal::list(const Filter& filter) const {
  return select_rows(*state_, filter, false);
}

std::vector<RunRow> Journal::in_state(const std::string& state) const {
  return select_rows(*state_, {.state = state, .limit = 1000000}, true);
}

std::vector<Journal::Change> Journal::changes(std::int64_t after, std::size_t limit) const {
  std::vector<Change> found = select_changes(*state_, after, limit);
  std::erase_if(found, [](const Change& change) { return !is_visible(change.row.tenant); });
  return found;
}

std::int64_t Journal::data_version() const {
  const auto row = state_->statement("PRAGMA data_version");
  return row->step() ? row->integer(0) : 0;
}

Head Journal::head(const std::string& run) const {
  const auto row = state_->statement("SELECT seq, line FROM events WHERE run=? ORDER BY seq DESC LIMIT 1");
  row->bind(1, run);
  if (!row->step()) return {0, std::string(kNoHead)};
  return {row->integer(0), hash_of(row->text(1))};
}

void Journal::verify_chain(const std::string& run) const {
  (void)verify_each(run, [](const Event&) {});
}

Head Journal::verify_each(const std::string& run, const Visitor& visit) const {
  const Snapshot snapshot(state_->connection);  // a writer may go on beside us
  Head last{0, std::string(kNoHead)};
  clock::Time at{};
  for_each_event(run, 0, [&](const Event& event) {
    if (event.seq != last.seq + 1) throw broken(run, last.seq + 1, "is missing");
    if (event.run != run) throw broken(run, event.seq, "belongs to another run");
    if (event.prev != last.hash) throw broken(run, event.seq, "does not follow the one before it");
    if (line_of(event) != event.line) throw broken(run, event.seq, "is not in canonical form");
    if (event.at < at) throw broken(run, event.seq, "is earlier than the one before it");
    at = event.at;
    last = {event.seq, hash_of(event.line)};
    visit(event);
  });
  const Head recorded = recorded_head(*state_, run);
  if (last.seq != recorded.seq || last.hash != recorded.hash)
    throw broken(run, last.seq, fmt::format("is the last one, but {} were recorded", recorded.seq));
  return last;
}

}  // namespace stella::journal
