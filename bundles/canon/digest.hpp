// SPDX-License-Identifier: Apache-2.0
// SHA-256 (streaming, OpenSSL EVP with SHA-NI), text encodings, and the Merkle tree of RFC 6962. A hasher belongs to
// one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/fault/error.hpp"

namespace stella::canon {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  [[nodiscard]] std::string hex() const;     // 64 lower-case digits
  [[nodiscard]] std::string tagged() const;  // sha256:HEX
  auto operator<=>(const Digest&) const = default;
};
// `sha256:` + 64 lower-case hex; else throws `code`, reason `digest`, at `at`.
[[nodiscard]] Digest parse_digest(std::string_view tagged, fault::Code code, const std::string& at);
[[nodiscard]] Digest parse_hex_digest(std::string_view hex, fault::Code code, const std::string& at);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  void update(std::span<const std::uint8_t> bytes);
  [[nodiscard]] Digest finish();  // and starts anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};
[[nodiscard]] Digest sha256(std::string_view bytes);
[[nodiscard]] Digest sha256(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::vector<std::uint8_t> from_hex(std::string_view text, fault::Code code, const std::string& at);
[[nodiscard]] std::string to_base64(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string to_base64(std::string_view bytes);
// Standard alphabet, padded, no white space, no stray low bits (RFC 4648 section 3.5); else throws `code`, reason
// `base64`.
[[nodiscard]] std::string from_base64(std::string_view text, fault::Code code, const std::string& at);
[[nodiscard]] std::string random_hex(std::size_t bytes);  // from the kernel's generator

[[nodiscard]] Digest merkle_leaf(std::string_view line);           // SHA-256(00 || line)
[[nodiscard]] Digest merkle_root(std::span<const Digest> leaves);  // RFC 6962 section 2.1; empty: SHA-256("")

}  // namespace stella::canon
