// SPDX-License-Identifier: Apache-2.0
#include "bundles/trust/key.hpp"

#include <sodium.h>

#include <algorithm>

namespace stella::trust {

PrivateKey::PrivateKey(locked::Bytes secret) : secret_(std::move(secret)) {
  std::copy_n(secret_.data() + 32, public_.raw.size(), public_.raw.begin());
}

PrivateKey PrivateKey::generate() {
  locked::Bytes seed(crypto_sign_SEEDBYTES);
  locked::fill_random({seed.data(), seed.size()});
  return from_seed(std::move(seed));
}

PrivateKey PrivateKey::from_seed(locked::Bytes seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) {
    throw fault::Error(fault::Code::key_unusable, "format", "an Ed25519 seed has 32 bytes");
  }
  locked::Bytes secret(crypto_sign_SECRETKEYBYTES);
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> raw{};
  crypto_sign_seed_keypair(raw.data(), secret.data(), seed.data());
  return PrivateKey(std::move(secret));
}

Signature PrivateKey::sign(std::string_view message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, reinterpret_cast<const unsigned char*>(message.data()),
                       message.size(), secret_.data());
  return signature;
}

bool verify(const PublicKey& key, std::string_view message, std::string_view signature) noexcept {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()),
                                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                                     key.raw.data()) == 0;
}

}  // namespace stella::trust
