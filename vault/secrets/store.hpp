// SPDX-License-Identifier: Apache-2.0
// The unsealed vault: secrets by tenant and name, each with a scope and numbered versions. A Store belongs to one
// thread; several processes may open one vault.
//
// Every operation is one durable transaction with its entry on the audit trail: reads of metadata too, and a value
// leaves only after its entry is on disk. Values live in locked memory; nothing here prints or logs one. Limits:
// value 1..65,536 bytes (under 8 only with Short::allow), name and scope [A-Za-z0-9][A-Za-z0-9._-]{0,63}. Errors:
// ERR_VAULT_NOT_FOUND (reasons vault, secret), ERR_VAULT_SHARE (passphrase), ERR_VAULT_TAMPERED (what of the file is
// altered), ERR_VAULT_ROLLBACK (the file went back while it was open), ERR_VAULT_BUSY, ERR_USAGE (name, scope, short,
// size), ERR_FILE_UNSUITABLE (exists).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/locked/bytes.hpp"
#include "vault/audit/trail.hpp"
#include "vault/secrets/contents.hpp"
#include "vault/secrets/file.hpp"

namespace stella::secrets {

inline constexpr std::size_t kMaxValueBytes = 65536;
inline constexpr std::size_t kShortBytes = 8;  // values under this need Short::allow

enum class Short { refuse, allow };
using AskPassphrase = std::function<locked::Bytes()>;  // called once, after the file has proved to be a vault

struct Metadata {
  std::string name, scope;
  std::int64_t version;  // the newest
  std::size_t kept;      // versions in the vault
  clock::Time created;   // of the newest
  std::optional<std::string> last_four;
  bool is_short;
};

struct Opened {
  Metadata metadata;
  locked::Bytes value;
};

// What may be published and compared later: generation only grows, root names every object.
struct Head {
  std::int64_t generation;
  canon::Digest root;
};

struct Standing {  // known without a passphrase, and not vouched for
  keys::VaultId vault;
  Head head;
  std::int64_t versions, audit_entries;
  std::uint64_t kdf_memory;
};

// Who acts and why; goes onto the audit trail as `action` and `detail`.
struct Purpose {
  std::string tenant, action;
  canon::Json detail = canon::Json::object();
};

struct Unsealed;  // session.hpp

class Store {
 public:
  // Makes the vault whole or not at all; an existing one is ERR_FILE_UNSUITABLE, reason `exists`.
  static void create(const std::string& path, const locked::Bytes& passphrase, std::uint64_t kdf_memory,
                     const clock::Clock& clock);
  static void require_absent(const std::string& path);  // the same refusal, before a passphrase is asked for
  // Unseals and verifies the whole file.
  static Store open(const std::string& path, const AskPassphrase& ask, const clock::Clock& clock);
  static Standing standing(const std::string& path);
  // Verifies the backup under its passphrase and puts it at `path`, whole or not at all. Older than the vault that is
  // there: ERR_VAULT_ROLLBACK, unless a reason is given, which goes onto the trail.
  static Head restore(const std::string& source, const std::string& path, const std::string& reason,
                      const AskPassphrase& ask, const clock::Clock& clock);
  Store(Store&&) noexcept;
  ~Store();

  struct Draft {
    std::string tenant, name, scope;
    const locked::Bytes* value;
    Short shortness = Short::refuse;
  };
  Metadata put(const Draft& draft);     // version n + 1; another scope than before is ERR_USAGE
  Metadata rotate(const Draft& draft);  // the same for a secret that must exist; draft.scope is not looked at
  std::size_t remove(const std::string& tenant, const std::string& name);  // all versions; says how many there were
  std::vector<Metadata> list(const std::string& tenant);                   // by name
  Metadata show(const std::string& tenant, const std::string& name);
  std::optional<Metadata> find(const Purpose& purpose, const std::string& name);
  // The newest version's value; nullopt when there is no such secret. The purpose is on disk before this returns.
  std::optional<Opened> lease(const Purpose& purpose, const std::string& name);
  void note(const Purpose& purpose);  // an entry on the trail, nothing else

  [[nodiscard]] Head head();
  std::vector<audit::Entry> verify();  // everything; the trail, oldest first
  void rekey(const locked::Bytes& passphrase, std::uint64_t kdf_memory);
  void backup(const std::string& target);  // a sealed copy, verified after writing

 private:
  explicit Store(std::unique_ptr<Unsealed> state);
  std::unique_ptr<Unsealed> state_;
};

}  // namespace stella::secrets
