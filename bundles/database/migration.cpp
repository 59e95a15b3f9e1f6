// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bundles/database/state.hpp"

namespace stella::database {
namespace {

std::int64_t number(const Connection& connection, std::string_view sql) {
  auto row = connection.prepare(sql);
  return row.step() ? row.integer(0) : 0;
}

struct Standing {
  std::int64_t application, version, tables;
};

Standing standing(const Connection& connection) {
  return {number(connection, "PRAGMA application_id"), number(connection, "PRAGMA user_version"),
          number(connection, "SELECT count(*) FROM sqlite_master")};
}

// Of one moment: another process may just be making the file what it is to be.
Standing standing_at_once(const Connection& connection, sqlite3* handle) {
  connection.execute("BEGIN");
  try {
    const Standing found = standing(connection);
    connection.execute("COMMIT");
    return found;
  } catch (...) {
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

bool is_new(const Standing& found) {
  return found.application == 0 && found.version == 0 && found.tables == 0;
}

void refuse_foreign(const Standing& found, std::int32_t application, std::size_t newest, const Options& options,
                    const std::string& path) {
  if (is_new(found) && options.access == Access::create) return;
  if (found.application != application)
    throw fault::Error(options.damaged, "application", fmt::format("{} is a database of something else", path), path);
  if (found.version < 0 || static_cast<std::uint64_t>(found.version) > newest)
    throw fault::Error(options.damaged, "newer",
                       fmt::format("{} has schema {}; this stella knows up to {}", path, found.version, newest), path,
                       "Use the stella that wrote it, or a newer one.");
}

}  // namespace

void Connection::migrate(std::int32_t application_id, std::span<const std::string_view> steps) const {
  auto found = standing_at_once(*this, state_->handle.get());
  refuse_foreign(found, application_id, steps.size(), state_->options, path());
  if (static_cast<std::uint64_t>(found.version) == steps.size()) return;
  if (state_->options.access == Access::read_only)
    throw fault::Error(state_->options.damaged, "older", fmt::format("{} has an older schema", path()), path());
  Transaction transaction(*this);
  found = standing(*this);  // another process may have been first
  refuse_foreign(found, application_id, steps.size(), state_->options, path());
  for (auto version = static_cast<std::size_t>(found.version); version < steps.size(); ++version)
    execute(steps[version]);
  // Pragmas take no parameters; both are our own numbers.
  execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application_id, steps.size()));
  transaction.commit();
}

}  // namespace stella::database
