// SPDX-License-Identifier: Apache-2.0
// Sealing bytes under a key so that key, nonce and place are all committed to. Any thread.
//
// Shape of sealed bytes: nonce (24) || commitment (32) || XChaCha20-Poly1305 ciphertext and tag (n + 16).
// XChaCha20-Poly1305 does not commit to its key: two keys may open one ciphertext. So a keyed BLAKE2b-256 over nonce
// and binding is stored with it and compared, in constant time, before anything is decrypted. The encryption key is
// another BLAKE2b-256 of the same input. The binding says what the bytes are and where they belong, so that no sealed
// value can be moved to another name, version, tenant or vault. Source: libsodium "XChaCha20-Poly1305-IETF";
// "Robustness" in the same manual; RFC 7693 (BLAKE2b keyed mode).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bundles/locked/bytes.hpp"

namespace stella::keys {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kOverheadBytes = 24 + 32 + 16;

// What sealed bytes or a derived key are for: a purpose and fields, each with its length before it, so that no two
// lists of fields give the same bytes.
class Binding {
 public:
  explicit Binding(std::string_view purpose);
  Binding& add(std::string_view field);
  Binding& add(std::span<const std::uint8_t> field);
  Binding& add(std::int64_t field);
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

using Sealed = std::vector<std::uint8_t>;

[[nodiscard]] locked::Bytes random_key();
// Keyed BLAKE2b-256 of the binding: one key for one purpose.
[[nodiscard]] locked::Bytes derive(const locked::Bytes& key, const Binding& purpose);
[[nodiscard]] Sealed seal(const locked::Bytes& key, std::span<const std::uint8_t> plain, const Binding& bound);
// Nothing when the bytes were not sealed under this key with this binding, or were changed.
[[nodiscard]] std::optional<locked::Bytes> open(const locked::Bytes& key, std::span<const std::uint8_t> sealed,
                                                const Binding& bound);

}  // namespace stella::keys
