// SPDX-License-Identifier: Apache-2.0
// Private keys in files: `stella-key/1` JSON (Argon2id, XChaCha20-Poly1305) or PKCS#8 PEM without passphrase.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bundles/clock/time.hpp"
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
  std::string name;  // as given to `key new --name`, may be empty
  bool has_passphrase;
};

inline constexpr std::uint64_t kKdfMemoryFloor = std::uint64_t{64} << 20;  // bytes
inline constexpr std::uint64_t kKdfMemoryDefault = std::uint64_t{256} << 20;
inline constexpr std::uint64_t kKdfMemoryCeiling = std::uint64_t{2} << 30;

// The file's text; FILE.pub is public_key().pem(). kdf_memory in bytes, kKdfMemoryFloor..kKdfMemoryCeiling, else
// ERR_USAGE reason `kdf-memory`. Shape: {"format":"stella-key/1","subject","keyid","publicKey","createdAt",
// "kdf":{"alg":"argon2id13","opslimit","memlimit","salt"},"aead":"xchacha20poly1305-ietf","nonce","ciphertext"};
// everything but `ciphertext` is the associated data, as RFC 8785 bytes.
[[nodiscard]] std::string seal_key(const PrivateKey& key, const std::string& name, const locked::Bytes& passphrase,
                                   std::uint64_t kdf_memory, clock::Time created_at = clock::system_clock().now());
[[nodiscard]] locked::Bytes plain_key(const PrivateKey& key);  // PKCS#8 PEM
// Mode must be 0600 (or 0400) and the owner this user; else ERR_KEY_UNUSABLE, reason `mode`. Wrong passphrase: reason
// `passphrase`. Not a key: reason `format`. Derivation costs outside the limits: reason `kdf`, before any is spent.
[[nodiscard]] LoadedKey load_key(const std::string& path, Passphrases& passphrases);
[[nodiscard]] PublicKey load_public(const std::string& path);  // PEM SPKI; ERR_KEY_UNUSABLE

enum class KeyKind { public_key, sealed, plain };  // a .pub file; a key with a passphrase; one without
struct KeyFile {
  KeyKind kind;
  PublicKey public_key;  // of a sealed file: what it says about itself, proven only by opening it
  std::string name;      // of a sealed file, else empty
};
// What a file holds, without its passphrase. Errors as load_key.
[[nodiscard]] KeyFile inspect_key_file(const std::string& path);

}  // namespace stella::trust
