// SPDX-License-Identifier: Apache-2.0
// What is to be told, durably: spool/outbox.db of the home (SQLite, WAL, FULL, mode 0600). It holds how far the journal
// was read, the gates that wait, and each message with what became of it. Nothing secret is in it. One thread; several
// processes may have it open.
//
// Errors: ERR_JOURNAL_TAMPERED for a file that is no outbox or of a newer version; ERR_RUN_BUSY when another process
// holds it longer than the wait.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/notify/message.hpp"
#include "bundles/database/connection.hpp"
#include "bundles/files/home.hpp"

namespace stella::notify {

[[nodiscard]] inline std::string spool_of(const files::Home& home) {
  return home.path() + "/spool";
}

// queued: to be posted or spooled. sent: the receiver took it. spooled: it lies beneath spool/. failed: given up; it
// lies beneath spool/ too.
enum class State { queued, sent, spooled, failed };
[[nodiscard]] std::string name_of(State state);

struct Draft {
  std::string id, run, tenant, pack, topic, to;
  std::string target;   // target_of() its rule
  std::string where;    // target_words() of its rule
  std::string message;  // stella.notification.v1, RFC 8785
  std::string payload;  // what the receiver gets, without any credential
  clock::Time made{};
};
struct Entry : Draft {
  std::int64_t number = 0;  // from 1, in the order they came up
  State state = State::queued;
  int attempts = 0;
  clock::Time next{};               // not before
  clock::Time until{};              // when it is given up
  clock::Time settled{};            // when it left `queued`; epoch: not yet
  std::string code, reason, note;   // of the last attempt: AIRGAP_EGRESS_BLOCKED, sealed, a sentence
  std::vector<std::string> closed;  // recipients of a mail that got it, or never will, while others are still asked
};
struct Change {
  State state = State::queued;
  int attempts = 0;
  clock::Time next{}, settled{};
  std::string code = {}, reason = {}, note = {};
};

// How long a message is tried before it is given up.
inline constexpr clock::Duration kGiveUpAfter = std::chrono::hours(72);

class Outbox {
 public:
  [[nodiscard]] static bool exists(const files::Home& home);
  static Outbox open(const files::Home& home);

  // How far the journal was read; absent: never.
  [[nodiscard]] std::optional<std::int64_t> revision() const;
  [[nodiscard]] std::int64_t seen(const std::string& run) const;  // last event's number that was read; 0: none
  [[nodiscard]] std::vector<OpenGate> gates(const std::string& run) const;
  struct Due {
    std::string run;
    OpenGate gate;
  };
  [[nodiscard]] std::vector<Due> gates_due(clock::Time now) const;  // waiting, soon to run out, not told yet

  // Changes of these kinds belong into one transaction.
  [[nodiscard]] database::Transaction begin() const { return database::Transaction(connection_); }
  void set_revision(std::int64_t revision);
  void set_seen(const std::string& run, std::int64_t seq);
  void put_gate(const std::string& run, const OpenGate& gate, clock::Time tell_at);
  void drop_gate(const std::string& run, const std::string& gate);  // empty gate: all of the run
  void mark_told(const std::string& run, const std::string& gate);
  bool queue(const Draft& draft);  // false: that id is there already

  // What waits, receiver by receiver: however much waits for one, the others are found.
  struct Line {
    std::string to, target, pack;
  };
  [[nodiscard]] std::vector<Line> lines() const;                                       // each that has queued messages
  [[nodiscard]] std::vector<Entry> queued(const Line& line, std::size_t limit) const;  // by number
  [[nodiscard]] std::optional<Entry> next_of(const std::string& target, std::int64_t after) const;  // queued, of it
  void change(const std::string& id, const Change& change);
  void close_recipients(const std::string& id, const std::vector<std::string>& closed);  // all of them so far
  struct Filter {
    std::string state = {}, run = {};
    std::size_t limit = 100;
  };
  [[nodiscard]] std::vector<Entry> list(const Filter& filter) const;  // newest first, of visible tenants
  [[nodiscard]] bool is_visible(const std::string& id) const;         // begins a message's id; journal/visible.hpp
  [[nodiscard]] std::optional<Entry> find(const std::string& id) const;
  [[nodiscard]] std::size_t count(State state) const;
  [[nodiscard]] std::optional<Entry> oldest_queued() const;
  std::size_t requeue_failed(clock::Time now);  // those that were given up, as if they were new

  // Files of the spool that went out on a medium.
  [[nodiscard]] std::optional<clock::Time> exported(const std::string& file) const;
  void mark_exported(const std::vector<std::string>& files, clock::Time now);

  // Forgets what was settled before `before`, however it was, how far runs were read that `has_run` does not know any
  // more, and marks of exported files that `has_file` does not know. Remembers that it was done at `now`.
  struct Kept {
    clock::Time before;
    std::function<bool(const std::string&)> has_run, has_file;
  };
  void tidy(const Kept& kept, clock::Time now);
  [[nodiscard]] std::optional<clock::Time> tidied() const;  // absent: never

 private:
  explicit Outbox(database::Connection connection) : connection_(std::move(connection)) {}
  // Of the query's first column, what `has` does not know.
  [[nodiscard]] std::vector<std::string> missing_in(std::string_view query,
                                                    const std::function<bool(const std::string&)>& has) const;
  database::Connection connection_;
};

}  // namespace stella::notify
