// SPDX-License-Identifier: Apache-2.0
// Keys of the mirror's roles. Root keys are read when they are needed and never stored; keys of the other roles lie
// under DIR/keys, encrypted with one passphrase, unless a file was given for a role. One thread.
#pragma once

#include <string>
#include <vector>

#include "bundles/trust/key_file.hpp"
#include "mirror/source/state.hpp"

namespace stella::source {

// Asks once and answers every later question with the same, so that one passphrase opens all keys that init made.
class OnePassphrase : public trust::Passphrases {
 public:
  explicit OnePassphrase(trust::Passphrases& asked) : asked_(asked) {}
  locked::Bytes ask(const std::string& prompt) override;
  locked::Bytes ask_new(const std::string& prompt) override;
  [[nodiscard]] bool is_remembered() const noexcept { return has_; }

 private:
  trust::Passphrases& asked_;
  locked::Bytes answer_;
  bool has_ = false;
};

// Makes the role's key under DIR/keys.
[[nodiscard]] RoleKey make_role_key(const Folder& folder, const std::string& role, OnePassphrase& passphrases,
                                    std::uint64_t kdf_memory);
// The private half of a role's key; ERR_KEY_UNUSABLE reason other-key when the file holds another one than was signed
// in.
[[nodiscard]] trust::PrivateKey load_role_key(const Folder& folder, const State& state, const std::string& role,
                                              OnePassphrase& remembered, trust::Passphrases& asked);

struct RootKey {
  trust::PublicKey key;
  std::optional<trust::PrivateKey> secret;  // nothing when the file is a .pub
};
[[nodiscard]] RootKey load_root_key(const std::string& path, trust::Passphrases& passphrases);

}  // namespace stella::source
