// SPDX-License-Identifier: Apache-2.0
// From a passphrase to the key of one secret's version. Any thread.
//
//   passphrase --Argon2id--> unseal key --opens--> root key --derives--> tenant key (per term) --opens--> data key
//
// The root key and every data key are random; only what opens them is derived. A new passphrase seals the same root key
// again; nothing else changes.
// Source: RFC 9106 (Argon2id, one lane, as libsodium's crypto_pwhash); docs/formats/vault.md
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "bundles/locked/bytes.hpp"
#include "vault/keys/aead.hpp"

namespace stella::keys {

inline constexpr std::uint64_t kMemoryFloor = std::uint64_t{64} << 20;  // bytes
inline constexpr std::uint64_t kMemoryDefault = std::uint64_t{512} << 20;
inline constexpr std::uint64_t kMemoryCeiling = std::uint64_t{4} << 30;  // what a file may ask for at most
inline constexpr std::int64_t kPassesDefault = 3;
inline constexpr std::int64_t kPassesCeiling = 16;

using VaultId = std::array<std::uint8_t, 16>;

struct Stretching {  // Argon2id's parameters; not secret, bound to the sealed root key
  std::uint64_t memory_bytes;
  std::int64_t passes;
  std::array<std::uint8_t, 16> salt;
};

// Fresh salt. ERR_USAGE (reason `kdf-memory`) below the floor, above the ceiling or above this machine's memory.
[[nodiscard]] Stretching new_stretching(std::uint64_t memory_bytes);
[[nodiscard]] bool is_within_bounds(const Stretching& stretching) noexcept;
// The unseal key. ERR_VAULT_SEALED, reason `memory`, where the machine cannot give that much.
[[nodiscard]] locked::Bytes stretch(const locked::Bytes& passphrase, const Stretching& stretching);

[[nodiscard]] Sealed seal_root(const locked::Bytes& root, const locked::Bytes& unseal_key, const VaultId& vault,
                               const Stretching& stretching);
// Nothing: the passphrase is another one.
[[nodiscard]] std::optional<locked::Bytes> open_root(std::span<const std::uint8_t> sealed,
                                                     const locked::Bytes& unseal_key, const VaultId& vault,
                                                     const Stretching& stretching);

[[nodiscard]] locked::Bytes tenant_key(const locked::Bytes& root, const VaultId& vault, std::string_view tenant,
                                       std::int64_t term);
// A key for the vault's own records: `purpose` is head, contents or audit.
[[nodiscard]] locked::Bytes record_key(const locked::Bytes& root, const VaultId& vault, std::string_view purpose);

}  // namespace stella::keys
