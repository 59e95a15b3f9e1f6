// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bundles/database/state.hpp"

namespace stella::database {

struct Statement::State {
  const Connection::State* connection;
  files::Handle<sqlite3_stmt, sqlite3_finalize> handle;

  void check(int result, std::string_view doing) const { connection->check(result, doing); }

  void expect(int column, int type, std::string_view name) const {
    if (sqlite3_column_type(handle.get(), column) == type) return;
    throw fault::Error(connection->options.damaged, "type", fmt::format("column {} is not {}", column, name),
                       connection->path);
  }
};

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement::~Statement() = default;

Statement Connection::prepare(std::string_view sql) const {
  sqlite3_stmt* made = nullptr;
  const int result = sqlite3_prepare_v2(state_->handle.get(), sql.data(), static_cast<int>(sql.size()), &made, nullptr);
  auto statement = std::make_unique<Statement::State>();
  statement->connection = state_.get();
  statement->handle.reset(made);
  state_->check(result, "preparing a query");
  return Statement(std::move(statement));
}

Statement& Statement::bind(int parameter, std::int64_t value) & {
  state_->check(sqlite3_bind_int64(state_->handle.get(), parameter, value), "binding a number");
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) & {
  // A null pointer would bind NULL: an empty text needs a real address.
  const char* data = text.data() == nullptr ? "" : text.data();
  state_->check(sqlite3_bind_text64(state_->handle.get(), parameter, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
                "binding text");
  return *this;
}

Statement& Statement::bind(int parameter, std::span<const std::uint8_t> blob) & {
  const void* data = blob.data() == nullptr ? static_cast<const void*>("") : blob.data();
  state_->check(sqlite3_bind_blob64(state_->handle.get(), parameter, data, blob.size(), SQLITE_TRANSIENT),
                "binding bytes");
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  state_->check(sqlite3_bind_null(state_->handle.get(), parameter), "binding null");
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(state_->handle.get());
  state_->check(result,
                sqlite3_stmt_readonly(state_->handle.get()) != 0 ? "reading the database" : "writing the database");
  return result == SQLITE_ROW;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(state_->handle.get());
  sqlite3_clear_bindings(state_->handle.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(state_->handle.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  state_->expect(column, SQLITE_INTEGER, "a number");
  return sqlite3_column_int64(state_->handle.get(), column);
}

std::string Statement::text(int column) const {
  state_->expect(column, SQLITE_TEXT, "text");
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(state_->handle.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(state_->handle.get(), column));
  return data == nullptr ? std::string() : std::string(data, size);
}

std::optional<std::string> Statement::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::span<const std::uint8_t> Statement::blob_view(int column) const {
  state_->expect(column, SQLITE_BLOB, "bytes");
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(state_->handle.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(state_->handle.get(), column))};
}

std::vector<std::uint8_t> Statement::blob(int column) const {
  const auto view = blob_view(column);
  return {view.begin(), view.end()};
}

}  // namespace stella::database
