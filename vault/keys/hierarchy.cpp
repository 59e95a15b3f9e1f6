// SPDX-License-Identifier: Apache-2.0
#include "vault/keys/hierarchy.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "bundles/fault/error.hpp"

namespace stella::keys {
namespace {

using fault::Code;
using fault::Error;

static_assert(crypto_pwhash_SALTBYTES == 16);

std::uint64_t machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages <= 0 || size <= 0 ? 0 : static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
}

std::uint64_t mebibytes(std::uint64_t bytes) {
  return bytes >> 20;
}

Binding root_binding(const VaultId& vault, const Stretching& stretching) {
  Binding bound("stella.vault.root.v1");
  bound.add(std::span<const std::uint8_t>(vault)).add(static_cast<std::int64_t>(stretching.memory_bytes));
  bound.add(stretching.passes).add(std::span<const std::uint8_t>(stretching.salt));
  return bound;
}

}  // namespace

bool is_within_bounds(const Stretching& stretching) noexcept {
  return stretching.memory_bytes >= kMemoryFloor && stretching.memory_bytes <= kMemoryCeiling &&
         stretching.passes >= 1 && stretching.passes <= kPassesCeiling;
}

Stretching new_stretching(std::uint64_t memory_bytes) {
  if (memory_bytes < kMemoryFloor || memory_bytes > kMemoryCeiling)
    throw Error(Code::usage, "kdf-memory",
                fmt::format("--kdf-memory is {} MiB; {} to {} MiB are allowed", mebibytes(memory_bytes),
                            mebibytes(kMemoryFloor), mebibytes(kMemoryCeiling)));
  if (const auto have = machine_memory(); memory_bytes > have)
    throw Error(
        Code::usage, "kdf-memory",
        fmt::format("--kdf-memory is {} MiB and this machine has {} MiB", mebibytes(memory_bytes), mebibytes(have)), {},
        "Give less with --kdf-memory; 64MiB is the least.");
  Stretching result{.memory_bytes = memory_bytes, .passes = kPassesDefault, .salt = {}};
  locked::fill_random(result.salt);
  return result;
}

locked::Bytes stretch(const locked::Bytes& passphrase, const Stretching& stretching) {
  const auto refused = [&] {
    return Error(Code::vault_sealed, "memory",
                 fmt::format("unsealing takes {} MiB of memory, which this machine cannot give",
                             mebibytes(stretching.memory_bytes)),
                 {}, "End other programs, or unseal on a machine with more memory.");
  };
  if (stretching.memory_bytes > machine_memory()) throw refused();
  locked::Bytes key(kKeyBytes);
  if (crypto_pwhash(key.data(), key.size(), reinterpret_cast<const char*>(passphrase.data()), passphrase.size(),
                    stretching.salt.data(), static_cast<unsigned long long>(stretching.passes), stretching.memory_bytes,
                    crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw refused();
  return key;
}

Sealed seal_root(const locked::Bytes& root, const locked::Bytes& unseal_key, const VaultId& vault,
                 const Stretching& stretching) {
  return seal(unseal_key, root.span(), root_binding(vault, stretching));
}

std::optional<locked::Bytes> open_root(std::span<const std::uint8_t> sealed, const locked::Bytes& unseal_key,
                                       const VaultId& vault, const Stretching& stretching) {
  return open(unseal_key, sealed, root_binding(vault, stretching));
}

locked::Bytes tenant_key(const locked::Bytes& root, const VaultId& vault, std::string_view tenant, std::int64_t term) {
  Binding purpose("stella.vault.tenant.v1");
  return derive(root, purpose.add(std::span<const std::uint8_t>(vault)).add(tenant).add(term));
}

locked::Bytes record_key(const locked::Bytes& root, const VaultId& vault, std::string_view purpose) {
  Binding bound("stella.vault.record.v1");
  return derive(root, bound.add(std::span<const std::uint8_t>(vault)).add(purpose));
}

}  // namespace stella::keys
