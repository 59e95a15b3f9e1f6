// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <thread>

#include "bundles/database/state.hpp"
#include "bundles/files/write.hpp"

namespace stella::database {
namespace {

using fault::Code;
using fault::Error;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The same file by a path without links in its folders: SQLITE_OPEN_NOFOLLOW refuses a link in any part of a path
// (3.40), and a home may well lie behind one. The last part is not resolved: there a link is refused.
std::string resolved(const std::string& path) {
  char folder[PATH_MAX];
  if (::realpath(folder_of(path).c_str(), folder) == nullptr) throw fault::system_error(errno, "opening", path);
  const auto slash = path.rfind('/');
  const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
  return std::string(folder) == "/" ? "/" + name : std::string(folder) + "/" + name;
}

// False: another process made it in the meantime.
bool make_file(const std::string& path) {
  const files::Fd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_RDWR, 0600));
  if (!fd && errno == EEXIST) return false;
  if (!fd) throw fault::system_error(errno, "making", path);
  files::sync_folder(folder_of(path));
  return true;
}

void check_kind(const struct stat& found, const std::string& path, const Options& options) {
  if (S_ISLNK(found.st_mode))
    throw Error(Code::file_unsuitable, "link", fmt::format("{} is a symbolic link", path), path);
  if (S_ISDIR(found.st_mode)) throw Error(Code::file_unsuitable, "folder", fmt::format("{} is a folder", path), path);
  if (!S_ISREG(found.st_mode))
    throw Error(Code::file_unsuitable, "kind", fmt::format("{} is not a regular file", path), path);
  if (options.exclusive_files && (found.st_mode & 0022) != 0)
    throw Error(Code::file_unsuitable, "mode",
                fmt::format("{} has mode {:04o}: others could write to it", path, found.st_mode & 07777), path,
                fmt::format("Find out who wrote to it; then `chmod 600 {}`.", path));
  if (options.access != Access::create && found.st_size == 0)
    throw Error(options.damaged, "not-a-database", fmt::format("{} is empty", path), path);
}

void prepare_file(const std::string& path, const Options& options) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) return check_kind(found, path, options);
  if (errno != ENOENT || options.access != Access::create) throw fault::system_error(errno, "opening", path);
  if (make_file(path)) return;
  if (::lstat(path.c_str(), &found) != 0) throw fault::system_error(errno, "opening", path);
  check_kind(found, path, options);
}

// Two processes that switch a new file to WAL at one time get SQLITE_BUSY at once, without the busy timeout (3.40).
void set_journal(const Connection& connection, const Options& options) {
  const auto until = std::chrono::steady_clock::now() + options.wait;
  const auto* sql = options.journal == Journal::wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE";
  while (true) {
    try {
      return connection.execute(sql);
    } catch (const Error& error) {
      if (error.reason() != "busy" || std::chrono::steady_clock::now() > until) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void harden(sqlite3* handle) {
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
}

void configure(const Connection& connection, const Options& options) {
  connection.execute("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;");
  if (options.access == Access::read_only) return connection.execute("PRAGMA query_only=ON");
  if (options.secure_delete == SecureDelete::yes) connection.execute("PRAGMA secure_delete=ON");
  set_journal(connection, options);
  // EXTRA also syncs the folder after the rollback journal is deleted, so that a commit cannot come back undone.
  connection.execute(options.journal == Journal::wal ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=EXTRA");
}

}  // namespace

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::open(const std::string& path, const Options& options) {
  prepare_file(path, options);
  auto state = std::make_unique<State>(State{path, options, nullptr});
  const int mode = options.access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* made = nullptr;
  const int result =
      sqlite3_open_v2(resolved(path).c_str(), &made, mode | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, nullptr);
  state->handle.reset(made);
  state->check(result, "opening the database");
  harden(made);
  sqlite3_busy_timeout(made, static_cast<int>(options.wait.count()));
  Connection connection(std::move(state));
  configure(connection, options);
  return connection;
}

void Connection::execute(std::string_view sql) const {
  const std::string text(sql);
  state_->check(sqlite3_exec(state_->handle.get(), text.c_str(), nullptr, nullptr, nullptr), "using the database");
}

std::int64_t Connection::last_row_id() const noexcept {
  return sqlite3_last_insert_rowid(state_->handle.get());
}
std::int64_t Connection::changes() const noexcept {
  return sqlite3_changes64(state_->handle.get());
}
const std::string& Connection::path() const noexcept {
  return state_->path;
}

void Connection::check_integrity() const {
  auto row = prepare("PRAGMA integrity_check(1)");
  const auto said = row.step() ? row.text(0) : std::string("no answer");
  if (said != "ok") throw Error(state_->options.damaged, "corrupt", "the database is damaged: " + said, path());
}

void Connection::checkpoint() const {
  prepare("PRAGMA wal_checkpoint(PASSIVE)").run();
}

void Connection::copy_to(const std::string& target) const {
  if (!make_file(target)) throw fault::system_error(EEXIST, "making", target);
  try {
    prepare("VACUUM INTO ?").bind(1, resolved(target)).run();
    // VACUUM INTO leaves the copy to the page cache (3.40).
    const files::Fd fd(::open(target.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) throw fault::system_error(errno, "writing", target);
  } catch (...) {
    ::unlink(target.c_str());
    throw;
  }
}

Transaction::Transaction(const Connection& connection) : connection_(&connection) {
  connection.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already (SQLITE_FULL, SQLITE_IOERR): then there is nothing to undo.
  if (open_) sqlite3_exec(connection_->state_->handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  connection_->execute("COMMIT");
  open_ = false;
}

}  // namespace stella::database
