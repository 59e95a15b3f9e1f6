// SPDX-License-Identifier: Apache-2.0
#include "vault/secrets/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stella::secrets {
namespace {

using database::Access;
using fault::Code;
using fault::Error;

constexpr std::int32_t kApplication = 0x53744c56;  // "StLV"
constexpr std::array<std::string_view, 1> kSchema = {R"sql(
CREATE TABLE header(id INTEGER PRIMARY KEY CHECK(id = 1), vault BLOB NOT NULL, kdf_memory INTEGER NOT NULL,
  kdf_passes INTEGER NOT NULL, kdf_salt BLOB NOT NULL, root BLOB NOT NULL, checksum BLOB NOT NULL) STRICT;
CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id = 1), generation INTEGER NOT NULL, merkle_root BLOB NOT NULL,
  head BLOB NOT NULL, contents BLOB NOT NULL) STRICT;
CREATE TABLE object(id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit(number INTEGER PRIMARY KEY, body BLOB NOT NULL, chain BLOB NOT NULL) STRICT;
)sql"};

database::Options options(Access access) {
  return {.damaged = Code::vault_tampered,
          .busy = Code::vault_busy,
          .access = access,
          .journal = database::Journal::rollback,
          .secure_delete = database::SecureDelete::yes};
}

Error altered(std::string_view reason, const std::string& what, const std::string& path) {
  return Error(Code::vault_tampered, reason, what, path);
}

template <std::size_t N>
std::array<std::uint8_t, N> fixed(std::span<const std::uint8_t> bytes, const std::string& path) {
  if (bytes.size() != N) throw altered("row", "a field of the vault has the wrong length", path);
  std::array<std::uint8_t, N> result{};
  std::copy(bytes.begin(), bytes.end(), result.begin());
  return result;
}

// Not a secret's protection: it tells a damaged header from a wrong passphrase, which would look the same otherwise.
canon::Digest checksum(const Header& header) {
  keys::Binding fields("stella.vault.header.v1");
  fields.add(std::span<const std::uint8_t>(header.vault))
      .add(static_cast<std::int64_t>(header.stretching.memory_bytes));
  fields.add(header.stretching.passes).add(std::span<const std::uint8_t>(header.stretching.salt));
  fields.add(std::span<const std::uint8_t>(header.root));
  return canon::sha256(fields.bytes());
}

std::int64_t count(const database::Connection& connection, std::string_view sql) {
  auto row = connection.prepare(sql);
  return row.step() ? row.integer(0) : 0;
}

}  // namespace

VaultFile VaultFile::create(const std::string& path) {
  auto connection = database::Connection::open(path, options(Access::create));
  connection.migrate(kApplication, kSchema);
  return VaultFile(std::move(connection));
}

VaultFile VaultFile::open(const std::string& path) {
  try {
    auto connection = database::Connection::open(path, options(Access::existing));
    connection.migrate(kApplication, kSchema);
    return VaultFile(std::move(connection));
  } catch (const Error& error) {
    if (error.code() != Code::file_not_found) throw;
    throw Error(Code::vault_not_found, "vault", fmt::format("there is no vault at {}", path), path,
                "Make one with `stella vault init`.");
  }
}

Header VaultFile::header() const {
  auto row =
      connection_.prepare("SELECT vault, kdf_memory, kdf_passes, kdf_salt, root, checksum FROM header WHERE id = 1");
  if (!row.step()) throw altered("header", "the vault's header is missing", path());
  Header header{.vault = fixed<16>(row.blob_view(0), path()),
                .stretching = {.memory_bytes = static_cast<std::uint64_t>(row.integer(1)),
                               .passes = row.integer(2),
                               .salt = fixed<16>(row.blob_view(3), path())},
                .root = row.blob(4)};
  if (checksum(header).bytes != fixed<32>(row.blob_view(5), path()))
    throw altered("header", "the vault's header was altered", path());
  if (!keys::is_within_bounds(header.stretching))
    throw altered("header", "the vault asks for Argon2id parameters out of bounds", path());
  return header;
}

void VaultFile::write_header(const Header& header) const {
  const auto sum = checksum(header);
  auto put = connection_.prepare("INSERT OR REPLACE INTO header VALUES(1, ?, ?, ?, ?, ?, ?)");
  put.bind(1, std::span<const std::uint8_t>(header.vault));
  put.bind(2, static_cast<std::int64_t>(header.stretching.memory_bytes)).bind(3, header.stretching.passes);
  put.bind(4, std::span<const std::uint8_t>(header.stretching.salt));
  put.bind(5, std::span<const std::uint8_t>(header.root)).bind(6, std::span<const std::uint8_t>(sum.bytes)).run();
}

HeadRow VaultFile::head() const {
  auto row = connection_.prepare("SELECT generation, merkle_root, head, contents FROM head WHERE id = 1");
  if (!row.step()) throw altered("row", "the vault's head is missing", path());
  return {.generation = row.integer(0),
          .merkle_root = {fixed<32>(row.blob_view(1), path())},
          .head = row.blob(2),
          .contents = row.blob(3)};
}

void VaultFile::write_head(const HeadRow& head) const {
  auto put = connection_.prepare("INSERT OR REPLACE INTO head VALUES(1, ?, ?, ?, ?)");
  put.bind(1, head.generation).bind(2, std::span<const std::uint8_t>(head.merkle_root.bytes));
  put.bind(3, std::span<const std::uint8_t>(head.head)).bind(4, std::span<const std::uint8_t>(head.contents)).run();
}

std::vector<std::uint8_t> VaultFile::object(const ObjectId& id) const {
  auto row = connection_.prepare("SELECT body FROM object WHERE id = ?");
  row.bind(1, std::string_view(id));
  if (!row.step()) throw altered("object", "a secret's version is missing from the vault", path());
  return row.blob(0);
}

void VaultFile::add_object(const ObjectId& id, std::span<const std::uint8_t> body) const {
  connection_.prepare("INSERT INTO object VALUES(?, ?)").bind(1, std::string_view(id)).bind(2, body).run();
}

void VaultFile::remove_object(const ObjectId& id) const {
  connection_.prepare("DELETE FROM object WHERE id = ?").bind(1, std::string_view(id)).run();
}

ObjectDigests VaultFile::object_digests() const {
  ObjectDigests result;
  for (auto row = connection_.prepare("SELECT id, body FROM object ORDER BY id"); row.step();)
    result.emplace(row.text(0), canon::sha256(row.blob_view(1)));
  return result;
}

std::int64_t VaultFile::object_count() const {
  return count(connection_, "SELECT count(*) FROM object");
}
std::int64_t VaultFile::audit_count() const {
  return count(connection_, "SELECT count(*) FROM audit");
}

std::vector<audit::Line> VaultFile::audit_lines() const {
  std::vector<audit::Line> result;
  for (auto row = connection_.prepare("SELECT number, body, chain FROM audit ORDER BY number"); row.step();)
    result.push_back({.number = row.integer(0), .body = row.blob(1), .chain = {fixed<32>(row.blob_view(2), path())}});
  return result;
}

void VaultFile::add_audit(const audit::Line& line) const {
  auto put = connection_.prepare("INSERT INTO audit VALUES(?, ?, ?)");
  put.bind(1, line.number).bind(2, std::span<const std::uint8_t>(line.body));
  put.bind(3, std::span<const std::uint8_t>(line.chain.bytes)).run();
}

}  // namespace stella::secrets
