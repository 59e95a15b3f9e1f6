// SPDX-License-Identifier: Apache-2.0
#include "bundles/media/copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::media {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kCluster = 32768;  // FAT32's largest common cluster: what a small file may really take
constexpr std::uint64_t kMargin = std::uint64_t{1} << 20;
constexpr std::size_t kBlock = std::size_t{1} << 20, kAlign = 4096;

std::string parent_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

// Trouble while writing is the medium's, whatever the errno was called. A half copy does not stay to fill the medium.
template <class Act>
auto on_medium(const std::string& medium, const std::string& partial, Act act) {
  try {
    return act();
  } catch (const Error& error) {
    try {
      files::remove_tree(partial);
    } catch (const Error&) {  // a medium that is gone or broken: the first error is the one to tell
    }
    if (error.code() == Code::no_space) {
      throw Error(Code::media_full, "full", fmt::format("{} is full: {}", medium, error.what()), error.at());
    }
    throw;
  }
}

void require_space(const std::vector<File>& files, const Volume& volume) {
  std::uint64_t needed = kMargin;
  for (const File& file : files) needed += (file.size_bytes + kCluster - 1) / kCluster * kCluster;
  if (needed > volume.free_bytes) {
    throw Error(
        Code::media_full, "preflight",
        fmt::format("{} bytes are needed on {}, {} are free", needed, volume.path, volume.free_bytes), volume.path,
        "Use a larger medium or free space on it (look into its .Trash folder), then run the same command again.");
  }
}

void write_file(const Source& source, const File& file, const std::string& target) {
  files::make_folders(parent_of(target), 0755);
  const files::Fd out(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!out) throw fault::system_error(errno, "writing", target);
  canon::Sha256 hash;
  source(file, [&](std::string_view block) {
    hash.update(block);
    files::write_all(out.get(), block, target);
  });
  if (hash.finish() != file.digest) {
    throw Error(Code::evidence_tampered, "content", fmt::format("{} is not what was sealed", file.path), file.path);
  }
  if (::fsync(out.get()) != 0) throw fault::system_error(errno, "syncing", target);
}

// SHA-256 of what the device gives back. O_DIRECT passes the page cache by; where a file system has none, the cached
// pages are dropped first and the caller is told.
canon::Digest read_back(const std::string& path, bool& bypassed,
                        const std::function<void(std::uint64_t)>& after_block) {
  files::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECT));
  if (!file) {
    file = files::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) throw fault::system_error(errno, "reading back", path);
    bypassed = false;
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  const std::unique_ptr<char, decltype(&std::free)> block(static_cast<char*>(std::aligned_alloc(kAlign, kBlock)),
                                                          &std::free);
  if (!block) throw std::bad_alloc();
  canon::Sha256 hash;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.get(), kBlock);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "reading back", path);
    if (count == 0) return hash.finish();
    hash.update(std::string_view(block.get(), static_cast<std::size_t>(count)));
    after_block(static_cast<std::uint64_t>(count));
  }
}

bool is_same(const std::string& folder, const std::vector<File>& files, bool& bypassed) {
  for (const File& file : files) {
    try {
      if (read_back(folder + "/" + file.path, bypassed, [](std::uint64_t) {}) != file.digest) return false;
    } catch (const Error&) {
      return false;
    }
  }
  return true;
}

}  // namespace

Source from_folder(const std::string& folder) {
  return [root = std::make_shared<const files::Fd>(files::open_folder(folder))](
             const File& file, const std::function<void(std::string_view)>& take) {
    const files::Fd in = files::open_beneath(*root, file.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    files::stream_input(in, file.path, std::uint64_t{1} << 42, take);
  };
}

Copied copy_verified(const Source& source, const std::vector<File>& files, const Volume& volume,
                     const std::string& folder, const std::function<void(std::uint64_t)>& progress) {
  struct stat info {};
  if (::lstat(folder.c_str(), &info) == 0) {
    Copied there{Outcome::already_there, folder, true};
    if (is_same(folder, files, there.cache_bypassed)) return there;
    throw Error(Code::media_unsuitable, "exists", fmt::format("{} is there already with other content", folder), folder,
                "Take another medium, or move that folder away after looking at it.");
  }
  require_space(files, volume);
  const std::string partial = parent_of(folder) + "/.partial-" + folder.substr(folder.find_last_of('/') + 1);
  return on_medium(volume.path, partial, [&] {
    files::make_folders(parent_of(folder), 0755);
    files::remove_tree(partial);
    files::make_folders(partial, 0755);
    std::uint64_t done = 0;
    for (const File& file : files) {
      write_file(source, file, partial + "/" + file.path);
      progress(done += file.size_bytes);
    }
    const files::Fd target = files::open_folder(partial);
    if (::syncfs(target.get()) != 0) throw fault::system_error(errno, "syncing", volume.path);
    files::crash_point("media.before-read-back");
    Copied copied{Outcome::written, folder, true};
    for (const File& file : files) {
      const auto step = [&](std::uint64_t bytes) { progress(done += bytes); };
      if (read_back(partial + "/" + file.path, copied.cache_bypassed, step) != file.digest) {
        throw Error(Code::media_unsuitable, "read-back",
                    fmt::format("{} gives back other bytes for {} than were written", volume.path, file.path),
                    file.path, "The medium is bad: do not use it again.");
      }
    }
    if (::rename(partial.c_str(), folder.c_str()) != 0) throw fault::system_error(errno, "naming", folder);
    files::sync_folder(parent_of(folder));
    if (::syncfs(target.get()) != 0) throw fault::system_error(errno, "syncing", volume.path);
    return copied;
  });
}

}  // namespace stella::media
