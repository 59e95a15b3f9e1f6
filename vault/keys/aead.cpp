// SPDX-License-Identifier: Apache-2.0
#include "vault/keys/aead.hpp"

#include <sodium.h>

#include <array>

#include "bundles/fault/error.hpp"

namespace stella::keys {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kCommitmentBytes = 32;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes + kCommitmentBytes + kTagBytes == kOverheadBytes);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == kKeyBytes);

void require_key(const locked::Bytes& key) {
  if (key.size() != kKeyBytes) throw fault::Error(fault::Code::internal, "key-size", "a vault key has the wrong size");
}

// Keyed BLAKE2b-256 over label, nonce and binding. Label and nonce have fixed lengths, so the parts cannot run
// together.
void hash_into(std::span<std::uint8_t> out, const locked::Bytes& key, const char (&label)[17],
               std::span<const std::uint8_t> nonce, const Binding& bound) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.data(), key.size(), out.size());
  crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(label), 16);
  crypto_generichash_update(&state, nonce.data(), nonce.size());
  crypto_generichash_update(&state, bound.bytes().data(), bound.bytes().size());
  crypto_generichash_final(&state, out.data(), out.size());
  sodium_memzero(&state, sizeof state);  // it holds the key's block
}

locked::Bytes encryption_key(const locked::Bytes& key, std::span<const std::uint8_t> nonce, const Binding& bound) {
  locked::Bytes result(kKeyBytes);
  hash_into({result.data(), result.size()}, key, "stella.vault.enc", nonce, bound);
  return result;
}

}  // namespace

Binding::Binding(std::string_view purpose) {
  add(purpose);
}

Binding& Binding::add(std::span<const std::uint8_t> field) {
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes_.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(field.size()) >> shift));
  bytes_.insert(bytes_.end(), field.begin(), field.end());
  return *this;
}

Binding& Binding::add(std::string_view field) {
  return add(std::span(reinterpret_cast<const std::uint8_t*>(field.data()), field.size()));
}

Binding& Binding::add(std::int64_t field) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(field) >> (56 - 8 * i));
  return add(std::span<const std::uint8_t>(bytes));
}

locked::Bytes random_key() {
  locked::Bytes result(kKeyBytes);
  locked::fill_random({result.data(), result.size()});
  return result;
}

locked::Bytes derive(const locked::Bytes& key, const Binding& purpose) {
  require_key(key);
  locked::Bytes result(kKeyBytes);
  hash_into({result.data(), result.size()}, key, "stella.vault.sub", {}, purpose);
  return result;
}

Sealed seal(const locked::Bytes& key, std::span<const std::uint8_t> plain, const Binding& bound) {
  require_key(key);
  Sealed sealed(plain.size() + kOverheadBytes);
  const std::span nonce(sealed.data(), kNonceBytes);
  locked::fill_random(nonce);
  hash_into({sealed.data() + kNonceBytes, kCommitmentBytes}, key, "stella.vault.com", nonce, bound);
  const auto inner = encryption_key(key, nonce, bound);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonceBytes + kCommitmentBytes, nullptr, plain.data(),
                                             plain.size(), bound.bytes().data(), bound.bytes().size(), nullptr,
                                             nonce.data(), inner.data());
  return sealed;
}

std::optional<locked::Bytes> open(const locked::Bytes& key, std::span<const std::uint8_t> sealed,
                                  const Binding& bound) {
  require_key(key);
  if (sealed.size() < kOverheadBytes) return std::nullopt;
  const auto nonce = sealed.first(kNonceBytes);
  std::array<std::uint8_t, kCommitmentBytes> commitment{};
  hash_into(commitment, key, "stella.vault.com", nonce, bound);
  if (!locked::equal(commitment, sealed.subspan(kNonceBytes, kCommitmentBytes))) return std::nullopt;
  const auto inner = encryption_key(key, nonce, bound);
  const auto text = sealed.subspan(kNonceBytes + kCommitmentBytes);
  locked::Bytes plain(text.size() - kTagBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, text.data(), text.size(),
                                                 bound.bytes().data(), bound.bytes().size(), nonce.data(),
                                                 inner.data()) != 0)
    return std::nullopt;
  return plain;
}

}  // namespace stella::keys
