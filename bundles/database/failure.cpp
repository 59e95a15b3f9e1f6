// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/database/state.hpp"

namespace stella::database {
namespace {

using fault::Code;
using fault::Error;

Error damaged(const Options& options, std::string_view reason, const std::string& what, const std::string& path) {
  return Error(options.damaged, reason, what, path);
}

Error input_output(sqlite3* handle, const std::string& what, const std::string& path) {
  const int cause = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  if (cause == ENOSPC || cause == EDQUOT) return Error(Code::no_space, "full", what, path);
  return Error(Code::media_gone, "input-output", what, path);
}

// A header that names a file format to come makes SQLite open a writable file for reading only (3.40).
bool is_marked_read_only(sqlite3* handle, const Options& options, const std::string& path) {
  return handle != nullptr && options.access != Access::read_only && sqlite3_db_readonly(handle, "main") == 1 &&
         ::access(path.c_str(), W_OK) == 0;
}

}  // namespace

Error failure(int result, sqlite3* handle, const Options& options, const std::string& path, std::string_view doing) {
  const std::string_view said = handle == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(handle);
  const auto what = fmt::format("{}: {} (SQLite {})", doing, said, result);
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Error(options.busy, "busy", what, path);
    case SQLITE_FULL:
      return Error(Code::no_space, "full", what, path);
    case SQLITE_IOERR:
      return input_output(handle, what, path);
    case SQLITE_NOTADB:
      return damaged(options, "not-a-database", what, path);
    case SQLITE_CORRUPT:
      return damaged(options, "corrupt", what, path);
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return damaged(options, "constraint", what, path);
    case SQLITE_ERROR:  // SQL that does not fit the tables that are there
    case SQLITE_SCHEMA:
      return damaged(options, "schema", what, path);
    case SQLITE_READONLY:
      if (is_marked_read_only(handle, options, path)) return damaged(options, "header", what, path);
      return Error(Code::file_unsuitable, "open", what, path);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Error(Code::file_unsuitable, "open", what, path);
    default:
      return Error(Code::internal, "sqlite", what, path);
  }
}

void Connection::State::check(int result, std::string_view doing) const {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return;
  throw failure(result, handle.get(), options, path, doing);
}

}  // namespace stella::database
