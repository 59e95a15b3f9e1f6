// SPDX-License-Identifier: Apache-2.0
// How a vault begins, is unsealed, gets another passphrase and is copied.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "bundles/files/write.hpp"
#include "vault/secrets/session.hpp"

namespace stella::secrets {
namespace {

using fault::Code;
using fault::Error;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Held while a vault is being made: two makers would share the unfinished file.
files::Fd lock_folder(const std::string& folder) {
  auto fd = files::open_folder(folder);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    throw Error(Code::vault_busy, "busy", "another process is making a vault here", folder);
  return fd;
}

Header new_header(const locked::Bytes& root, const locked::Bytes& passphrase, const keys::VaultId& vault,
                  std::uint64_t kdf_memory) {
  const auto stretching = keys::new_stretching(kdf_memory);
  const auto unseal_key = keys::stretch(passphrase, stretching);
  return {.vault = vault, .stretching = stretching, .root = keys::seal_root(root, unseal_key, vault, stretching)};
}

void fill(const std::string& path, const Header& header, locked::Bytes root, const clock::Clock& clock) {
  auto state = Unsealed(VaultFile::create(path), header, std::move(root), clock);
  Session session(state, Session::Begin::fresh);
  state.file.write_header(header);
  session.note({"", "init", {{"kdfMemory", header.stretching.memory_bytes}}});
  session.commit();
}

Error exists(const std::string& path) {
  return Error(Code::file_unsuitable, "exists", fmt::format("there is a vault at {} already", path), path,
               "Use it, or move the file away first; its secrets are lost without it.");
}

void remove_unfinished(const std::string& path) {
  ::unlink(path.c_str());
  ::unlink((path + "-journal").c_str());
}

}  // namespace

void Store::require_absent(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) throw exists(path);
}

void Store::create(const std::string& path, const locked::Bytes& passphrase, std::uint64_t kdf_memory,
                   const clock::Clock& clock) {
  const auto folder = folder_of(path);
  files::make_folders(folder);
  const auto lock = lock_folder(folder);
  require_absent(path);
  keys::VaultId vault{};
  locked::fill_random(vault);
  auto root = keys::random_key();
  const auto header = new_header(root, passphrase, vault, kdf_memory);
  const auto unfinished = path + ".making";
  remove_unfinished(unfinished);  // of a maker that was killed
  try {
    fill(unfinished, header, std::move(root), clock);
    files::crash_point("vault.init.made");
    // link, not rename: a vault that appeared in between must not be replaced.
    if (::link(unfinished.c_str(), path.c_str()) != 0)
      throw errno == EEXIST ? exists(path) : fault::system_error(errno, "making", path);
    files::sync_folder(folder);
    files::crash_point("vault.init.linked");
  } catch (...) {
    remove_unfinished(unfinished);
    throw;
  }
  remove_unfinished(unfinished);
}

Store Store::open(const std::string& path, const AskPassphrase& ask, const clock::Clock& clock) {
  auto file = VaultFile::open(path);
  auto header = file.header();
  auto root = keys::open_root(header.root, keys::stretch(ask(), header.stretching), header.vault, header.stretching);
  if (!root) throw Error(Code::vault_share, "passphrase", "the passphrase does not open this vault", path);
  Store store(std::make_unique<Unsealed>(std::move(file), std::move(header), std::move(*root), clock));
  (void)Session(*store.state_).verify();
  return store;
}

Standing Store::standing(const std::string& path) {
  const auto file = VaultFile::open(path);
  const auto header = file.header();
  const auto head = file.head();
  return {.vault = header.vault,
          .head = {head.generation, head.merkle_root},
          .versions = file.object_count(),
          .audit_entries = file.audit_count(),
          .kdf_memory = header.stretching.memory_bytes};
}

void Store::rekey(const locked::Bytes& passphrase, std::uint64_t kdf_memory) {
  auto header = new_header(state_->root, passphrase, state_->header.vault, kdf_memory);
  Session session(*state_);
  state_->file.write_header(header);
  session.note({"", "rekey", {{"kdfMemory", kdf_memory}}});
  session.changed();
  session.commit();
  state_->header = std::move(header);
}

void Store::backup(const std::string& target) {
  note({"", "backup"});
  state_->file.connection().copy_to(target);
  files::crash_point("vault.backup.copied");
  Unsealed copy(VaultFile::open(target), state_->header, locked::Bytes::copy_of(state_->root.span()), *state_->clock);
  (void)Session(copy).verify();
}

}  // namespace stella::secrets
