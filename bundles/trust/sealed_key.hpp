// SPDX-License-Identifier: Apache-2.0
// The `stella-key/1` document: a seed under a passphrase. Any thread. Shape and limits: key_file.hpp.
#pragma once

#include <string>
#include <string_view>

#include "bundles/canon/json.hpp"
#include "bundles/trust/key.hpp"

namespace stella::trust {

struct SealedKey {
  std::string subject, key_id, nonce, salt, ciphertext, associated;
  PublicKey public_key;
  std::uint64_t opslimit = 0, memlimit = 0;
};
// Throws ERR_KEY_UNUSABLE, reasons `format`, `kdf`, `key`, at `path`.
[[nodiscard]] SealedKey parse_sealed(std::string_view text, const std::string& path);
// Throws ERR_KEY_UNUSABLE, reason `passphrase` (also when the file was altered: the two look the same) or `memory`.
[[nodiscard]] PrivateKey open_sealed(const SealedKey& sealed, const locked::Bytes& passphrase, const std::string& path);

}  // namespace stella::trust
