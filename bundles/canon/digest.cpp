// SPDX-License-Identifier: Apache-2.0
#include "bundles/canon/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace stella::canon {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { start(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void start() const {
    // Fetched once: EVP_sha256() would look the algorithm up in the provider at every start (OpenSSL 3.0).
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (context == nullptr || algorithm == nullptr || EVP_DigestInit_ex2(context, algorithm, nullptr) != 1) {
      throw fault::Error(fault::Code::internal, "sha256", "OpenSSL offers no SHA-256");
    }
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw fault::Error(fault::Code::internal, "sha256", "hashing failed");
  }
}

void Sha256::update(std::span<const std::uint8_t> bytes) {
  update(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Digest Sha256::finish() {
  Digest digest;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, digest.bytes.data(), &size) != 1 || size != digest.bytes.size()) {
    throw fault::Error(fault::Code::internal, "sha256", "hashing failed");
  }
  state_->start();
  return digest;
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest sha256(std::span<const std::uint8_t> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string Digest::hex() const {
  return to_hex(bytes);
}
std::string Digest::tagged() const {
  return "sha256:" + hex();
}

Digest parse_hex_digest(std::string_view hex, fault::Code code, const std::string& at) {
  Digest digest;
  if (hex.size() != 64) throw fault::Error(code, "digest", "a SHA-256 digest has 64 lower-case hex digits", at);
  const auto raw = from_hex(hex, code, at);
  std::copy(raw.begin(), raw.end(), digest.bytes.begin());
  return digest;
}

Digest parse_digest(std::string_view tagged, fault::Code code, const std::string& at) {
  if (!tagged.starts_with("sha256:"))
    throw fault::Error(code, "digest", "a digest is written sha256: and 64 hex digits", at);
  return parse_hex_digest(tagged.substr(7), code, at);
}

Digest merkle_leaf(std::string_view line) {
  Sha256 hash;
  hash.update(std::string_view("\0", 1));
  hash.update(line);
  return hash.finish();
}

Digest merkle_root(std::span<const Digest> leaves) {
  if (leaves.empty()) return sha256(std::string_view());
  if (leaves.size() == 1) return leaves.front();
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  Sha256 hash;
  hash.update(std::string_view("\1", 1));
  hash.update(merkle_root(leaves.first(split)).bytes);
  hash.update(merkle_root(leaves.subspan(split)).bytes);
  return hash.finish();
}

}  // namespace stella::canon
