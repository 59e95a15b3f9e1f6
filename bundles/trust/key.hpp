// SPDX-License-Identifier: Apache-2.0
// Ed25519 keys, strictly: RFC 8032, RFC 8410. libsodium only. Any thread; a PrivateKey has one owner.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bundles/fault/error.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::trust {

struct PublicKey {
  std::array<std::uint8_t, 32> raw{};
  [[nodiscard]] std::string spki() const;    // 44 bytes of DER
  [[nodiscard]] std::string line() const;    // base64 of spki(): PUBLIC-KEY in policies
  [[nodiscard]] std::string pem() const;     // "-----BEGIN PUBLIC KEY-----"
  [[nodiscard]] std::string key_id() const;  // lower-case hex SHA-256 of spki()
  [[nodiscard]] std::string ssh_line(std::string_view principal, std::string_view name_space) const;  // allowed_signers
  [[nodiscard]] std::string ssh_wire() const;  // "ssh-ed25519" and the key, each with its length in front
  [[nodiscard]] std::string vkey(std::string_view name) const;       // C2SP signed-note verifier key
  [[nodiscard]] std::string vkey_hash(std::string_view name) const;  // its four raw bytes of key hash
  auto operator<=>(const PublicKey&) const = default;
};
// 44 bytes of DER with Ed25519's fixed prefix and a point that crypto_core_ed25519_is_valid_point takes; else `code`,
// reason `key`, at `at`.
[[nodiscard]] PublicKey parse_public_line(std::string_view base64, fault::Code code, const std::string& at);
[[nodiscard]] PublicKey parse_public_der(std::string_view der, fault::Code code, const std::string& at);
[[nodiscard]] PublicKey parse_public_pem(std::string_view pem, fault::Code code, const std::string& at);
// The 32 bytes alone, as TUF and SSH write them; the same point check.
[[nodiscard]] PublicKey parse_public_raw(std::string_view raw, fault::Code code, const std::string& at);

using Signature = std::array<std::uint8_t, 64>;

class PrivateKey {
 public:
  static PrivateKey generate();
  static PrivateKey from_seed(locked::Bytes seed);  // 32 bytes
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_; }
  [[nodiscard]] Signature sign(std::string_view message) const;
  [[nodiscard]] std::span<const std::uint8_t> seed() const noexcept { return secret_.span().first(32); }

 private:
  explicit PrivateKey(locked::Bytes secret);
  locked::Bytes secret_;  // 64 bytes, libsodium's form: seed then public key
  PublicKey public_;
};

[[nodiscard]] bool verify(const PublicKey& key, std::string_view message, std::string_view signature) noexcept;

}  // namespace stella::trust
