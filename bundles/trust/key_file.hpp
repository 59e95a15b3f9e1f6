// SPDX-License-Identifier: Apache-2.0
// Private keys in files: `stella-key/1` JSON (Argon2id, XChaCha20-Poly1305) or PKCS#8 PEM without passphrase.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bundles/trust/key.hpp"

namespace stella::trust {

// Where passphrases come from: a prompt, --passphrase-file, --passphrase-fd. Implemented by the command line.
class Passphrases {
 public:
  virtual ~Passphrases() = default;
  // prompt: what is asked for, e.g. `passphrase for ada.key`. Throws ERR_KEY_UNUSABLE when there is nobody to ask.
  virtual locked::Bytes ask(const std::string& prompt) = 0;
  virtual locked::Bytes ask_new(const std::string& prompt) = 0;  // asks twice on a terminal
};

struct LoadedKey {
  PrivateKey key;
  std::string name;      // as given to `key new --name`, may be empty
  bool has_passphrase;
};

inline constexpr std::uint64_t kKdfMemoryFloor = std::uint64_t{64} << 20;    // bytes
inline constexpr std::uint64_t kKdfMemoryDefault = std::uint64_t{256} << 20;

// The file's text; FILE.pub is public_key().pem(). kdf_memory in bytes, kKdfMemoryFloor..2 GiB.
[[nodiscard]] std::string seal_key(const PrivateKey& key, const std::string& name, const locked::Bytes& passphrase,
                                   std::uint64_t kdf_memory);
[[nodiscard]] std::string plain_key(const PrivateKey& key);  // PKCS#8 PEM
// Mode must be 0600 (or 0400) and the owner this user; else ERR_KEY_UNUSABLE, reason `mode`. Wrong passphrase: reason
// `passphrase`. Not a key: reason `format`.
[[nodiscard]] LoadedKey load_key(const std::string& path, Passphrases& passphrases);
[[nodiscard]] PublicKey load_public(const std::string& path);  // PEM SPKI; ERR_KEY_UNUSABLE

}  // namespace stella::trust
