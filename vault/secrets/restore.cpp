// SPDX-License-Identifier: Apache-2.0
// Putting a backup in the vault's place.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "vault/secrets/store.hpp"

namespace stella::secrets {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{256} << 20;

// A copy beside the vault: the backup may lie on a read-only medium, and what is verified is what is put in place.
void copy_beside(const std::string& source, const std::string& target) {
  const auto file = files::open_input(source, {.max_bytes = kMaxFileBytes});
  files::AtomicFile copy(target, 0600);
  files::stream_input(file, source, kMaxFileBytes, [&](std::string_view bytes) { copy.write(bytes); });
  copy.commit();
}

// Nothing when there is no vault, or none that can be read: then a restore has nothing to fall behind.
std::optional<Standing> find_standing(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  try {
    return Store::standing(path);
  } catch (const Error& error) {
    if (error.code() == Code::vault_tampered) return std::nullopt;
    throw;
  }
}

void refuse_older(const Standing& copy, const std::optional<Standing>& present, const std::string& reason,
                  const std::string& source) {
  if (!present || present->vault != copy.vault || !reason.empty()) return;
  if (present->head.generation <= copy.head.generation) return;
  throw Error(Code::vault_rollback, "generation",
              fmt::format("the backup is generation {}, the vault is generation {}: secrets put since would be lost",
                          copy.head.generation, present->head.generation),
              source, "Say --reason TEXT when that is what you want; it is written to the vault's trail.");
}

Head note_restore(const std::string& beside, const std::string& reason, const std::optional<Standing>& present,
                  const AskPassphrase& ask, const clock::Clock& clock) {
  auto store = Store::open(beside, ask, clock);
  store.note({"", "restore", {{"reason", reason}, {"replaced", present ? present->head.generation : 0}}});
  return store.head();
}

}  // namespace

Head Store::restore(const std::string& source, const std::string& path, const std::string& reason,
                    const AskPassphrase& ask, const clock::Clock& clock) {
  const auto beside = path + ".restoring";
  copy_beside(source, beside);
  try {
    const auto copy = standing(beside);
    const auto present = find_standing(path);  // also lets SQLite finish or undo what a killed process left
    refuse_older(copy, present, reason, source);
    const auto head = note_restore(beside, reason, present, ask, clock);
    files::crash_point("vault.restore.ready");
    // A journal of the old file would be played into the new one.
    ::unlink((path + "-journal").c_str());
    if (std::rename(beside.c_str(), path.c_str()) != 0) throw fault::system_error(errno, "replacing", path);
    files::sync_folder(path.substr(0, path.rfind('/')));
    files::crash_point("vault.restore.done");
    return head;
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
}

}  // namespace stella::secrets
