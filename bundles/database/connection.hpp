// SPDX-License-Identifier: Apache-2.0
// SQLite, touched in this room only: connection, statement, transaction, migrations. A Connection and what is made from
// it belong to one thread; several processes may open one file.
//
// Errors: busy -> the caller's `busy` code, reason `busy`; disk full -> ERR_NO_SPACE; input/output error ->
// ERR_MEDIA_GONE; not a database, corrupt, of another application or of a newer version -> the caller's `damaged` code,
// reasons `not-a-database`, `corrupt`, `header`, `application`, `newer`; a link, folder, FIFO or device in the file's
// place -> ERR_FILE_UNSUITABLE (reasons link, folder, kind). A constraint that fails is `damaged`, reason `constraint`.
// SQL that does not fit the file's tables is `damaged`, reason `schema`: the file is foreign or was edited.
// Triggers, views and the file's own functions are switched off: a hostile file must not bring code along.
// Source: sqlite.org/pragma.html, sqlite.org/rescode.html (3.40).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/fault/error.hpp"

namespace stella::database {

enum class Journal { wal, rollback };               // WAL, or DELETE
enum class SecureDelete { no, yes };                // yes: freed pages are overwritten with zeros
enum class Access { create, existing, read_only };  // create: made with mode 0600 when missing

struct Options {
  fault::Code damaged;  // for a file that is not what it should be
  fault::Code busy;     // for a lock that somebody else holds longer than `wait`
  Access access = Access::create;
  Journal journal = Journal::wal;  // synchronous is FULL (rollback: EXTRA) in either
  SecureDelete secure_delete = SecureDelete::no;
  std::chrono::milliseconds wait{5000};
  bool exclusive_files = true;  // refuse a file that group or others may write
};

class Connection;

// One prepared statement. Parameters are numbered from 1, columns from 0.
//   for (auto row = db.prepare("SELECT seq, line FROM events WHERE run = ?").bind(1, run); row.step();) row.text(1);
// Text and blobs are copied at bind. Must not outlive its Connection.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  ~Statement();

  Statement& bind(int parameter, std::int64_t value) &;
  Statement& bind(int parameter, std::string_view text) &;
  Statement& bind(int parameter, std::span<const std::uint8_t> blob) &;
  Statement& bind_null(int parameter);
  template <class T>
  Statement&& bind(int parameter, const T& value) && {
    bind(parameter, value);
    return std::move(*this);
  }

  [[nodiscard]] bool step();  // true: there is a row
  void run();                 // to the end, rows are ignored; then reset for the next use
  void reset();               // bindings are cleared too

  [[nodiscard]] bool is_null(int column) const;
  // Strict: another storage type than asked for is `damaged`, reason `type`.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::string> maybe_text(int column) const;
  [[nodiscard]] std::vector<std::uint8_t> blob(int column) const;
  // Valid until the next step or reset: for bytes that should not be copied.
  [[nodiscard]] std::span<const std::uint8_t> blob_view(int column) const;

 private:
  friend class Connection;
  struct State;
  explicit Statement(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Connection {
 public:
  static Connection open(const std::string& path, const Options& options);
  Connection(Connection&&) noexcept;
  ~Connection();

  [[nodiscard]] Statement prepare(std::string_view sql) const;
  void execute(std::string_view sql) const;  // one or more statements without parameters
  [[nodiscard]] std::int64_t last_row_id() const noexcept;
  [[nodiscard]] std::int64_t changes() const noexcept;  // rows changed by the last statement
  [[nodiscard]] const std::string& path() const noexcept;
  // Brings the file to the newest schema in one transaction. `steps[i]` is the SQL from version i to i + 1; a new file
  // gets `application_id` (four bytes as a number, not 0), an existing one must have it.
  void migrate(std::int32_t application_id, std::span<const std::string_view> steps) const;
  void check_integrity() const;  // PRAGMA integrity_check; `damaged`, reason `corrupt`, with its first line
  void checkpoint() const;       // WAL back into the file, as far as readers let it
  // A consistent copy of this database in a new file `target` (mode 0600), durable when this returns (VACUUM INTO).
  void copy_to(const std::string& target) const;

 private:
  friend class Statement;
  friend class Transaction;
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// BEGIN IMMEDIATE; rolled back on destruction unless committed. One at a time per connection.
class Transaction {
 public:
  explicit Transaction(const Connection& connection);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  const Connection* connection_;
  bool open_ = true;
};

}  // namespace stella::database
