// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/outbox.hpp"

#include <sys/stat.h>

#include <array>

#include "appliance/journal/visible.hpp"
#include "bundles/files/write.hpp"

namespace stella::notify {
namespace {

constexpr std::int32_t kApplication = 0x73746c6e;  // "stln"
constexpr auto kCode = fault::Code::journal_tampered;
constexpr std::string_view kFirst =
    "CREATE TABLE cursor (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;"
    "CREATE TABLE seen (run TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE gates (run TEXT NOT NULL, gate TEXT NOT NULL, tell_at INTEGER NOT NULL, told INTEGER NOT NULL,"
    " facts TEXT NOT NULL, PRIMARY KEY (run, gate)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE messages (number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, run TEXT NOT "
    "NULL,"
    " tenant TEXT NOT NULL, pack TEXT NOT NULL, topic TEXT NOT NULL, receiver TEXT NOT NULL, target TEXT NOT NULL,"
    " place TEXT NOT NULL, message TEXT NOT NULL, payload TEXT NOT NULL, made INTEGER NOT NULL, until INTEGER NOT "
    "NULL, state TEXT NOT NULL,"
    " attempts INTEGER NOT NULL, next INTEGER NOT NULL, settled INTEGER NOT NULL, code TEXT NOT NULL,"
    " reason TEXT NOT NULL, note TEXT NOT NULL) STRICT;"
    "CREATE INDEX messages_by_state ON messages (state, number);"
    "CREATE INDEX messages_by_run ON messages (run, number);"
    "CREATE TABLE exports (file TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";
constexpr std::string_view kSecond = "CREATE INDEX messages_by_target ON messages (state, target, number);";
constexpr std::string_view kThird =
    "CREATE TABLE tidied (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX messages_by_settled ON messages (settled);";
constexpr std::string_view kFourth = "ALTER TABLE messages ADD COLUMN closed TEXT NOT NULL DEFAULT '[]';";
constexpr std::array kSteps = {kFirst, kSecond, kThird, kFourth};

constexpr std::string_view kColumns =
    "SELECT number, id, run, tenant, pack, topic, receiver, target, place, message, payload, made, state, attempts, "
    "next,"
    " settled, code, reason, note, until, closed FROM messages ";

std::string path_of(const files::Home& home) {
  return spool_of(home) + "/outbox.db";
}

std::int64_t number_of(clock::Time time) {
  return time.time_since_epoch().count();
}
clock::Time time_of(std::int64_t number) {
  return clock::Time{clock::Duration{number}};
}

State parse_state(const std::string& name) {
  for (const State state : {State::queued, State::sent, State::spooled, State::failed}) {
    if (name_of(state) == name) return state;
  }
  throw fault::Error(kCode, "state", "the outbox has a message in an unknown state");
}

Entry entry_of(const database::Statement& row) {
  Entry entry;
  entry.number = row.integer(0);
  std::string* const texts[] = {&entry.id, &entry.run,    &entry.tenant, &entry.pack,    &entry.topic,
                                &entry.to, &entry.target, &entry.where,  &entry.message, &entry.payload};
  int column = 1;
  for (std::string* text : texts) *text = row.text(column++);
  entry.made = time_of(row.integer(11));
  entry.state = parse_state(row.text(12));
  entry.attempts = static_cast<int>(row.integer(13));
  entry.next = time_of(row.integer(14));
  entry.settled = time_of(row.integer(15));
  entry.code = row.text(16);
  entry.reason = row.text(17);
  entry.note = row.text(18);
  entry.until = time_of(row.integer(19));
  for (const canon::Json& one : canon::parse_json(row.text(20), kCode, "a message of the outbox"))
    entry.closed.push_back(one.get<std::string>());
  return entry;
}

OpenGate gate_of(const std::string& facts) {
  return OpenGate::parse(canon::parse_json(facts, kCode, "a gate of the outbox"));
}

}  // namespace

std::string name_of(State state) {
  constexpr std::array<const char*, 4> kNames{"queued", "sent", "spooled", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

bool Outbox::exists(const files::Home& home) {
  struct stat found {};
  return ::lstat(path_of(home).c_str(), &found) == 0;
}

Outbox Outbox::open(const files::Home& home) {
  files::make_folders(spool_of(home), 0700);
  auto connection = database::Connection::open(
      path_of(home), {.damaged = kCode, .busy = fault::Code::run_busy, .wait = std::chrono::seconds(3)});
  connection.migrate(kApplication, kSteps);
  return Outbox(std::move(connection));
}

std::optional<std::int64_t> Outbox::revision() const {
  auto row = connection_.prepare("SELECT revision FROM cursor");
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

std::int64_t Outbox::seen(const std::string& run) const {
  auto row = connection_.prepare("SELECT seq FROM seen WHERE run=?").bind(1, run);
  return row.step() ? row.integer(0) : 0;
}

std::vector<OpenGate> Outbox::gates(const std::string& run) const {
  std::vector<OpenGate> found;
  for (auto row = connection_.prepare("SELECT facts FROM gates WHERE run=? ORDER BY gate").bind(1, run); row.step();)
    found.push_back(gate_of(row.text(0)));
  return found;
}

std::vector<Outbox::Due> Outbox::gates_due(clock::Time now) const {
  std::vector<Due> found;
  auto row = connection_.prepare("SELECT run, facts FROM gates WHERE told=0 AND tell_at<=? ORDER BY run, gate");
  row.bind(1, number_of(now));
  while (row.step()) found.push_back({row.text(0), gate_of(row.text(1))});
  return found;
}

void Outbox::set_revision(std::int64_t revision) {
  connection_.prepare("INSERT INTO cursor VALUES (1,?1) ON CONFLICT (one) DO UPDATE SET revision=?1")
      .bind(1, revision)
      .run();
}

void Outbox::set_seen(const std::string& run, std::int64_t seq) {
  connection_.prepare("INSERT INTO seen VALUES (?1,?2) ON CONFLICT (run) DO UPDATE SET seq=?2")
      .bind(1, run)
      .bind(2, seq)
      .run();
}

void Outbox::put_gate(const std::string& run, const OpenGate& gate, clock::Time tell_at) {
  auto put = connection_.prepare(
      "INSERT INTO gates (run, gate, tell_at, told, facts) VALUES (?1,?2,?3,0,?4) ON CONFLICT (run, gate) DO UPDATE SET"
      " told=CASE WHEN tell_at=?3 THEN told ELSE 0 END, tell_at=?3, facts=?4");
  put.bind(1, run);
  put.bind(2, gate.gate);
  put.bind(3, number_of(tell_at));
  put.bind(4, canon::canonical(gate.json()));
  put.run();
}

void Outbox::drop_gate(const std::string& run, const std::string& gate) {
  connection_.prepare("DELETE FROM gates WHERE run=?1 AND (?2='' OR gate=?2)").bind(1, run).bind(2, gate).run();
}

void Outbox::mark_told(const std::string& run, const std::string& gate) {
  connection_.prepare("UPDATE gates SET told=1 WHERE run=? AND gate=?").bind(1, run).bind(2, gate).run();
}

bool Outbox::queue(const Draft& draft) {
  auto put = connection_.prepare(
      "INSERT OR IGNORE INTO messages (id, run, tenant, pack, topic, receiver, target, place, message, payload, made,"
      " state, attempts, next, settled, code, reason, note, until)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?11,'queued',0,?11,0,'','','',?12)");
  const std::string* const texts[] = {&draft.id, &draft.run,    &draft.tenant, &draft.pack,    &draft.topic,
                                      &draft.to, &draft.target, &draft.where,  &draft.message, &draft.payload};
  int parameter = 1;
  for (const std::string* text : texts) put.bind(parameter++, *text);
  put.bind(11, number_of(draft.made));
  put.bind(12, number_of(draft.made + kGiveUpAfter));
  put.run();
  return connection_.changes() > 0;
}

std::vector<Outbox::Line> Outbox::lines() const {
  std::vector<Line> found;
  auto row = connection_.prepare("SELECT DISTINCT receiver, target, pack FROM messages WHERE state='queued'");
  while (row.step()) found.push_back({row.text(0), row.text(1), row.text(2)});
  return found;
}

std::vector<Entry> Outbox::queued(const Line& line, std::size_t limit) const {
  std::vector<Entry> found;
  auto row = connection_.prepare(std::string(kColumns) +
                                 "WHERE state='queued' AND target=?1 AND receiver=?2 AND pack=?3 ORDER BY number"
                                 " LIMIT ?4");
  row.bind(1, line.target).bind(2, line.to).bind(3, line.pack);
  row.bind(4, static_cast<std::int64_t>(limit));
  while (row.step()) found.push_back(entry_of(row));
  return found;
}

std::optional<Entry> Outbox::next_of(const std::string& target, std::int64_t after) const {
  auto row = connection_.prepare(std::string(kColumns) +
                                 "WHERE state='queued' AND target=?1 AND number>?2 ORDER BY number LIMIT 1");
  row.bind(1, target).bind(2, after);
  return row.step() ? std::optional(entry_of(row)) : std::nullopt;
}

void Outbox::change(const std::string& id, const Change& change) {
  auto put = connection_.prepare(
      "UPDATE messages SET state=?, attempts=?, next=?, settled=?, code=?, reason=?, note=? WHERE id=?");
  put.bind(1, name_of(change.state));
  put.bind(2, std::int64_t{change.attempts});
  put.bind(3, number_of(change.next));
  put.bind(4, number_of(change.settled));
  put.bind(5, change.code);
  put.bind(6, change.reason);
  put.bind(7, change.note);
  put.bind(8, id);
  put.run();
}

void Outbox::close_recipients(const std::string& id, const std::vector<std::string>& closed) {
  connection_.prepare("UPDATE messages SET closed=? WHERE id=?").bind(1, canon::canonical(closed)).bind(2, id).run();
}

std::vector<Entry> Outbox::list(const Filter& filter) const {
  std::vector<Entry> found;
  auto row = connection_.prepare(std::string(kColumns) +
                                 "WHERE (?1='' OR state=?1) AND (?2='' OR run=?2) ORDER BY number DESC LIMIT ?3");
  row.bind(1, filter.state);
  row.bind(2, filter.run);
  row.bind(3, journal::sees_everything() ? static_cast<std::int64_t>(filter.limit) : -1);
  while (found.size() < filter.limit && row.step())
    if (Entry entry = entry_of(row); journal::is_visible(entry.tenant)) found.push_back(std::move(entry));
  return found;
}

bool Outbox::is_visible(const std::string& id) const {
  if (journal::sees_everything()) return true;
  auto row = connection_.prepare("SELECT tenant FROM messages WHERE id>=?1 AND id<?1||'g'").bind(1, id);
  return row.step() && journal::is_visible(row.text(0));
}

std::optional<Entry> Outbox::find(const std::string& id) const {
  auto row = connection_.prepare(std::string(kColumns) + "WHERE id=?").bind(1, id);
  return row.step() ? std::optional(entry_of(row)) : std::nullopt;
}

std::optional<Entry> Outbox::oldest_queued() const {
  auto row = connection_.prepare(std::string(kColumns) + "WHERE state='queued' ORDER BY number LIMIT 1");
  return row.step() ? std::optional(entry_of(row)) : std::nullopt;
}

std::size_t Outbox::count(State state) const {
  auto row = connection_.prepare("SELECT count(*) FROM messages WHERE state=?").bind(1, name_of(state));
  return row.step() ? static_cast<std::size_t>(row.integer(0)) : 0;
}

std::size_t Outbox::requeue_failed(clock::Time now) {
  connection_
      .prepare("UPDATE messages SET state='queued', attempts=0, next=?1, settled=0, until=?2 WHERE state='failed'")
      .bind(1, number_of(now))
      .bind(2, number_of(now + kGiveUpAfter))
      .run();
  return static_cast<std::size_t>(connection_.changes());
}

std::optional<clock::Time> Outbox::exported(const std::string& file) const {
  auto row = connection_.prepare("SELECT at FROM exports WHERE file=?").bind(1, file);
  return row.step() ? std::optional(time_of(row.integer(0))) : std::nullopt;
}

void Outbox::mark_exported(const std::vector<std::string>& files, clock::Time now) {
  auto transaction = begin();
  for (const std::string& file : files) {
    connection_.prepare("INSERT INTO exports VALUES (?1,?2) ON CONFLICT (file) DO UPDATE SET at=?2")
        .bind(1, file)
        .bind(2, number_of(now))
        .run();
  }
  transaction.commit();
}

std::vector<std::string> Outbox::missing_in(std::string_view query,
                                            const std::function<bool(const std::string&)>& has) const {
  std::vector<std::string> missing;
  for (auto row = connection_.prepare(query); row.step();) {
    if (std::string name = row.text(0); !has(name)) missing.push_back(std::move(name));
  }
  return missing;
}

void Outbox::tidy(const Kept& kept, clock::Time now) {
  const auto runs = missing_in("SELECT run FROM seen", kept.has_run);
  const auto files = missing_in("SELECT file FROM exports", kept.has_file);
  auto transaction = begin();
  connection_.prepare("DELETE FROM messages WHERE state<>'queued' AND settled<?").bind(1, number_of(kept.before)).run();
  for (const std::string& run : runs) {
    connection_.prepare("DELETE FROM seen WHERE run=?").bind(1, run).run();
    drop_gate(run, "");
  }
  for (const std::string& file : files) connection_.prepare("DELETE FROM exports WHERE file=?").bind(1, file).run();
  connection_.prepare("INSERT INTO tidied VALUES (1,?1) ON CONFLICT (one) DO UPDATE SET at=?1")
      .bind(1, number_of(now))
      .run();
  transaction.commit();
}

std::optional<clock::Time> Outbox::tidied() const {
  auto row = connection_.prepare("SELECT at FROM tidied");
  return row.step() ? std::optional(time_of(row.integer(0))) : std::nullopt;
}

}  // namespace stella::notify
