// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "bundles/files/write.hpp"
#include "mirror/metadata/document.hpp"
#include "mirror/source/source.hpp"

namespace stella::source {
namespace {

using fault::Code;
constexpr auto kYear = std::chrono::hours(24 * 365);

std::vector<RootKey> load_root_keys(const InitRequest& request, trust::Passphrases& passphrases) {
  std::vector<RootKey> keys;
  std::set<trust::PublicKey> unique;
  int secrets = 0;
  for (const std::string& path : request.root_keys) {
    keys.push_back(load_root_key(path, passphrases));
    if (!unique.insert(keys.back().key).second)
      throw fault::Error(Code::usage, "root-key", path + " was given twice", "--root-key");
    secrets += keys.back().secret ? 1 : 0;
  }
  if (request.threshold < 1 || static_cast<std::size_t>(request.threshold) > keys.size()) {
    throw fault::Error(Code::usage, "threshold",
                       fmt::format("a threshold of {} cannot be met by {} root keys", request.threshold, keys.size()),
                       "--threshold");
  }
  if (secrets < request.threshold) {
    throw fault::Error(
        Code::usage, "threshold",
        fmt::format("{} of {} root keys can sign and the threshold is {}", secrets, keys.size(), request.threshold),
        "--root-key", "Give the private files of at least N root keys; they are read and never stored.");
  }
  return keys;
}

void check_names(const InitRequest& request) {
  if (!metadata::is_name(request.name)) {
    throw fault::Error(Code::usage, "name", "a mirror's name has lower-case letters, digits and `-` only, at most 64",
                       "--name");
  }
  for (const auto& [role, file] : request.role_keys) {
    const bool known = role == "targets" || role == "snapshot" || role == "timestamp" || metadata::is_channel(role);
    if (!known)
      throw fault::Error(Code::usage, "role", role + " is not targets, snapshot, timestamp or a channel's name",
                         "--role-key");
  }
}

std::map<std::string, RoleKey> gather_role_keys(const InitRequest& request, const Folder& folder,
                                                trust::Passphrases& passphrases) {
  std::map<std::string, RoleKey> roles;
  for (const auto& [role, file] : request.role_keys) {
    roles.emplace(role, RoleKey{std::filesystem::absolute(file).string(), load_root_key(file, passphrases).key});
  }
  OnePassphrase one(passphrases);
  for (const char* role : {"targets", "snapshot", "timestamp", kDefaultChannel}) {
    if (!roles.contains(role)) roles.emplace(role, make_role_key(folder, role, one, request.kdf_memory));
  }
  return roles;
}

metadata::Root describe_root(const InitRequest& request, const std::vector<RootKey>& root_keys, const State& state,
                             clock::Time now) {
  metadata::Root root;
  root.header = {.version = 1,
                 .expires = now + kYear,
                 .origin = {.source = request.name, .generation = 0, .base = {}, .issued = now}};
  metadata::RoleKeys& own = root.roles["root"];
  own.threshold = request.threshold;
  for (const RootKey& root_key : root_keys) {
    own.key_ids.push_back(metadata::key_id(root_key.key));
    root.keys.emplace(own.key_ids.back(), root_key.key);
  }
  for (const char* role : {"targets", "snapshot", "timestamp"}) {
    const trust::PublicKey& key = state.roles.at(role).key;
    root.roles[role] = {.threshold = 1, .key_ids = {metadata::key_id(key)}};
    root.keys.emplace(metadata::key_id(key), key);
  }
  return root;
}

}  // namespace

Initialised init(const InitRequest& request, const clock::Clock& clock, trust::Passphrases& passphrases) {
  check_names(request);
  const Folder folder(request.folder);
  if (folder.has_state()) {
    throw fault::Error(Code::file_unsuitable, "exists", request.folder + " is a mirror's folder already",
                       request.folder, "Name another folder; `stella mirror status DIR` shows this one.");
  }
  const std::vector<RootKey> root_keys = load_root_keys(request, passphrases);
  folder.store().make();
  files::make_folders(folder.metadata());
  const files::Fd lock = folder.lock();
  State state;
  state.name = request.name;
  state.roles = gather_role_keys(request, folder, passphrases);
  std::vector<const trust::PrivateKey*> signers;
  for (const RootKey& key : root_keys) {
    if (key.secret) signers.push_back(&*key.secret);
  }
  const std::string text =
      metadata::sign_document(metadata::to_json(describe_root(request, root_keys, state, clock.now())), signers);
  const std::string file = folder.metadata() + "/1.root.json";
  files::write_atomically(file, text, 0644);
  folder.save(state);
  return {.root_file = file, .root = canon::sha256(text)};
}

}  // namespace stella::source
