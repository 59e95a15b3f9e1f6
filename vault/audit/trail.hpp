// SPDX-License-Identifier: Apache-2.0
// The vault's trail: who did what to it, sealed entry by entry and chained by hash. Any thread.
//
// Shape: entry n is the sealed RFC 8785 object {action, at, detail, tenant, user}; its key is bound to vault, number
// and the chain before it. chain(n) = SHA-256(chain(n - 1) || number as 8 bytes || sealed entry), 32 zero bytes before
// the first. Size and last chain value stand in the vault's sealed head, so an entry can be neither changed, left out,
// reordered nor cut off the end.
// Errors: ERR_VAULT_TAMPERED, reason `audit`, at the entry.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "vault/keys/hierarchy.hpp"

namespace stella::audit {

struct Entry {
  std::int64_t number = 0;  // from 1
  clock::Time at{};
  std::string action;  // init put rotate remove list show version lease refused rekey verify backup restore
  std::string tenant, user;
  canon::Json detail;  // names and numbers, never a value
};

struct Line {  // an entry as it lies in the file
  std::int64_t number;
  keys::Sealed body;
  canon::Digest chain;
};

class Trail {
 public:
  Trail(const locked::Bytes& root, const keys::VaultId& vault);
  // `before` is the chain value of the last entry; entry.number must be one more than its number.
  [[nodiscard]] Line seal(const Entry& entry, const canon::Digest& before) const;
  [[nodiscard]] Entry open(const Line& line, const canon::Digest& before) const;

 private:
  locked::Bytes key_;
  keys::VaultId vault_;
};

// The login name of this process's real user, or its number: what `user` holds.
[[nodiscard]] std::string present_user();

}  // namespace stella::audit
