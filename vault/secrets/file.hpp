// SPDX-License-Identifier: Apache-2.0
// The vault's one file: rows in and out of SQLite (rollback journal, secure_delete), nothing decided here. One thread.
//
// Readable without the passphrase: the vault's random id, Argon2id's parameters, generation and Merkle root, how many
// objects and audit entries there are and how long their padded bodies are. Everything else is sealed.
// Errors: ERR_VAULT_NOT_FOUND when the file is missing; ERR_VAULT_TAMPERED (database room's reasons, or `header`,
// `row`); ERR_VAULT_BUSY when another process writes for more than five seconds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/database/connection.hpp"
#include "vault/audit/trail.hpp"
#include "vault/keys/hierarchy.hpp"

namespace stella::secrets {

struct Header {  // changes only when the passphrase does
  keys::VaultId vault;
  keys::Stretching stretching;
  keys::Sealed root;
};

struct HeadRow {  // changes with every write
  std::int64_t generation;
  canon::Digest merkle_root;  // published: over all objects, in the order of their ids
  keys::Sealed head;          // vouches for the two above and for the audit trail's end
  keys::Sealed contents;      // the sealed index
};

using ObjectId = std::string;  // 32 hex digits, random
using ObjectDigests = std::map<ObjectId, canon::Digest>;

class VaultFile {
 public:
  // A new file with its tables; the file must not exist yet.
  static VaultFile create(const std::string& path);
  static VaultFile open(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept { return connection_.path(); }
  [[nodiscard]] const database::Connection& connection() const noexcept { return connection_; }

  [[nodiscard]] Header header() const;  // checked against its checksum and bounds
  void write_header(const Header& header) const;
  [[nodiscard]] HeadRow head() const;
  void write_head(const HeadRow& head) const;

  [[nodiscard]] std::vector<std::uint8_t> object(const ObjectId& id) const;  // ERR_VAULT_TAMPERED when missing
  void add_object(const ObjectId& id, std::span<const std::uint8_t> body) const;
  void remove_object(const ObjectId& id) const;
  [[nodiscard]] ObjectDigests object_digests() const;
  [[nodiscard]] std::int64_t object_count() const;

  [[nodiscard]] std::vector<audit::Line> audit_lines() const;
  [[nodiscard]] std::int64_t audit_count() const;
  void add_audit(const audit::Line& line) const;

 private:
  explicit VaultFile(database::Connection connection) : connection_(std::move(connection)) {}
  database::Connection connection_;
};

}  // namespace stella::secrets
