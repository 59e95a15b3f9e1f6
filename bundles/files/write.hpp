// SPDX-License-Identifier: Apache-2.0
// The one way to write a file that must survive a power cut: temp, fsync, rename, fsync of the folder. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bundles/files/fd.hpp"

namespace stella::files {

enum class Replace { yes, no };  // no: an existing file is ERR_FILE_UNSUITABLE, reason `exists`

// Old or new content, nothing between, at any instant. mode is not reduced by the umask.
void write_atomically(const std::string& path, std::string_view bytes, unsigned mode, Replace replace = Replace::yes);

// The same for content that comes in pieces. Not committed: removed on destruction.
class AtomicFile {
 public:
  AtomicFile(std::string path, unsigned mode);
  AtomicFile(AtomicFile&&) = delete;
  ~AtomicFile();
  void write(std::string_view bytes);
  void commit(Replace replace = Replace::yes);
  [[nodiscard]] const std::string& temporary_path() const noexcept { return temporary_; }

 private:
  std::string path_, temporary_;
  unsigned mode_;
  Fd fd_;
};

void write_all(int fd, std::string_view bytes, const std::string& name);
void sync_folder(const std::string& path);
void make_folders(const std::string& path,
                  unsigned mode = 0700);    // like mkdir -p; existing folders are left as they are
void remove_tree(const std::string& path);  // never follows links; missing is fine
[[nodiscard]] std::uint64_t free_bytes(const std::string& path);

// Kills this process with SIGKILL when STELLA_CRASH_AT is `name`, or `name:N` at the N-th passage: the named points
// at which the fault tests cut the power. Names are listed in docs/behaviours.md.
void crash_point(std::string_view name);

}  // namespace stella::files
