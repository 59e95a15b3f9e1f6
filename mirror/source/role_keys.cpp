// SPDX-License-Identifier: Apache-2.0
#include "mirror/source/role_keys.hpp"

#include <fmt/format.h>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::source {
namespace {

constexpr std::uint64_t kMaxKeyFile = 65536;

}  // namespace

locked::Bytes OnePassphrase::ask(const std::string& prompt) {
  if (!has_) answer_ = asked_.ask(prompt);
  has_ = true;
  return locked::Bytes::copy_of(answer_.span());
}

locked::Bytes OnePassphrase::ask_new(const std::string& prompt) {
  if (!has_) answer_ = asked_.ask_new(prompt);
  has_ = true;
  return locked::Bytes::copy_of(answer_.span());
}

RoleKey make_role_key(const Folder& folder, const std::string& role, OnePassphrase& passphrases,
                      std::uint64_t kdf_memory) {
  files::make_folders(folder.keys());
  const locked::Bytes passphrase = passphrases.ask_new("new passphrase for the mirror's role keys");
  const trust::PrivateKey key = trust::PrivateKey::generate();
  const std::string file = fmt::format("keys/{}.key", role), path = folder.path() + "/" + file;
  files::write_atomically(path, trust::seal_key(key, role, passphrase, kdf_memory), 0600);
  files::write_atomically(path + ".pub", key.public_key().pem(), 0644);
  return {file, key.public_key()};
}

trust::PrivateKey load_role_key(const Folder& folder, const State& state, const std::string& role,
                                OnePassphrase& remembered, trust::Passphrases& asked) {
  const RoleKey& wanted = state.roles.at(role);
  const std::string path = wanted.file.starts_with('/') ? wanted.file : folder.path() + "/" + wanted.file;
  const bool reused = remembered.is_remembered();
  const auto load = [&]() -> trust::LoadedKey {
    try {
      return trust::load_key(path, remembered);
    } catch (const fault::Error& error) {
      if (error.reason() != "passphrase" || !reused) throw;
      return trust::load_key(path, asked);  // a key with a passphrase of its own
    }
  };
  trust::LoadedKey loaded = load();
  if (loaded.key.public_key() != wanted.key) {
    throw fault::Error(fault::Code::key_unusable, "other-key",
                       fmt::format("{} is not the key that signs {}", path, role), path,
                       "Put back the key that `stella mirror init` was given, or made, for this role.");
  }
  return std::move(loaded.key);
}

RootKey load_root_key(const std::string& path, trust::Passphrases& passphrases) {
  const std::string text = files::read_input(path, {.max_bytes = kMaxKeyFile});
  if (text.find("BEGIN PUBLIC KEY") != std::string::npos) {
    return {trust::parse_public_pem(text, fault::Code::key_unusable, path), std::nullopt};
  }
  trust::LoadedKey loaded = trust::load_key(path, passphrases);
  const trust::PublicKey key = loaded.key.public_key();
  return {key, std::move(loaded.key)};
}

}  // namespace stella::source
