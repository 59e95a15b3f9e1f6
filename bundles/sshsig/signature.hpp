// SPDX-License-Identifier: Apache-2.0
// Signatures that `ssh-keygen -Y verify` reads, so that an auditor needs nothing of ours. Any thread.
//
// Shape: -----BEGIN SSH SIGNATURE-----, base64 in lines of 70, -----END SSH SIGNATURE-----; one Ed25519 key, SHA-512.
// Limits: armour <= 4 KiB, name space <= 64 bytes. Source: OpenSSH PROTOCOL.sshsig.
#pragma once

#include <string>
#include <string_view>

#include "bundles/trust/key.hpp"

namespace stella::sshsig {

// The only name space that evidence lists are signed in.
inline constexpr std::string_view kEvidence = "stella-evidence";

struct Armoured {
  trust::PublicKey key;  // as the signature says; it proves nothing until a list that you trust names it
  std::string name_space;
  std::string bytes;  // 64 raw bytes
};

[[nodiscard]] std::string sign(const trust::PrivateKey& key, std::string_view name_space, std::string_view message);
// Throws `malformed`, reason `sshsig`, at `at`: another algorithm, hash, version, length, or a key that is not strict.
[[nodiscard]] Armoured parse(std::string_view armour, fault::Code malformed, const std::string& at);
// True when `signature` is of this name space and `key` made it over `message`.
[[nodiscard]] bool is_signed_by(const Armoured& signature, const trust::PublicKey& key, std::string_view name_space,
                                std::string_view message);

}  // namespace stella::sshsig
