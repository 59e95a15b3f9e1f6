// SPDX-License-Identifier: Apache-2.0
// Leases: how a secret leaves the vault, and only so. One Source per run, one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"
#include "bundles/locked/bytes.hpp"
#include "bundles/trust/key_file.hpp"
#include "vault/secrets/store.hpp"

namespace stella::lease {

struct Wanted {
  std::string name, scope;
};
struct Ticket {  // what the runner says it is; on the audit trail before a value leaves
  std::string tenant, run, plan_hash, step;
  std::vector<Wanted> declared;  // all secrets the plan lists for this step
};
struct Leased {
  std::string name, scope;
  std::int64_t version;
  locked::Bytes value;
  std::optional<std::string> last_four;  // only when the value has 16 characters or more
};

class Source {
 public:
  virtual ~Source() = default;
  // One of ticket.declared, else ERR_VAULT_DENIED reason `undeclared`; not held: ERR_PACK_SECRET_MISSING.
  virtual Leased lease(const Ticket& ticket, const Wanted& wanted) = 0;
  // Version held now, without opening the value; nullopt when it is not held.
  virtual std::optional<std::int64_t> version_of(const std::string& tenant, const Wanted& wanted) = 0;
};

// By TASKRUNNER_SEALED_VAULT_URL (vault+file://PATH; vault+unix:// is refused by name until `vault serve` exists), else
// the home's vault. Asks for the passphrase once. ERR_VAULT_NOT_FOUND, ERR_VAULT_SHARE, ERR_VAULT_SEALED.
[[nodiscard]] std::unique_ptr<Source> open_vault(const files::Home& home, trust::Passphrases& passphrases);
// The same file for the verbs of `stella vault`, which change it.
[[nodiscard]] std::string vault_path(const files::Home& home);
[[nodiscard]] secrets::Store open_store(const files::Home& home, trust::Passphrases& passphrases,
                                        const clock::Clock& clock);
// `--secrets` in constrained and connected mode: a JSON object name -> value, file mode 0600 (the
// caller's check). ERR_PACK_INPUTS for another shape; messages repeat nothing of it. Versions are 0. `text` stays the
// caller's to wipe.
[[nodiscard]] std::unique_ptr<Source> open_secrets_file(std::string_view text, const std::string& name);

}  // namespace stella::lease
