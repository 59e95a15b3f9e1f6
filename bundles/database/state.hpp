// SPDX-License-Identifier: Apache-2.0
// What connection, statement and migration share inside this room; nobody else includes it.
#pragma once

#include <sqlite3.h>

#include <string>

#include "bundles/database/connection.hpp"
#include "bundles/files/fd.hpp"

namespace stella::database {

struct Connection::State {
  std::string path;
  Options options;
  // close_v2: a statement that is still alive keeps the handle until it goes, instead of leaking it.
  files::Handle<sqlite3, sqlite3_close_v2> handle;

  // Throws the error for a result code of this connection; returns for OK, ROW and DONE.
  void check(int result, std::string_view doing) const;
};

// The error for a result code. `handle` may be null; its message is kept, values never are in it.
[[nodiscard]] fault::Error failure(int result, sqlite3* handle, const Options& options, const std::string& path,
                                   std::string_view doing);

}  // namespace stella::database
