// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/write.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bundles/fault/error.hpp"
#include "bundles/files/named.hpp"

namespace stella::files {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& path) {
  std::array<unsigned char, 8> noise{};
  if (::getrandom(noise.data(), noise.size(), 0) != static_cast<ssize_t>(noise.size())) {
    throw fault::system_error(errno, "naming a temporary file for", path);
  }
  std::string suffix;
  for (const unsigned char byte : noise) suffix += fmt::format("{:02x}", byte);
  return fmt::format("{}/.stella-{}.tmp", parent_of(path), suffix);
}

void remove_at(int folder, const std::string& name, const std::string& shown);

void empty_folder(int folder, const std::string& shown) {
  const int copy = ::dup(folder);
  DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (listing == nullptr) throw fault::system_error(errno, "listing", shown);
  const Handle<DIR, closedir> owner(listing);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  for (const std::string& name : names) remove_at(folder, name, shown + "/" + name);
}

void remove_at(int folder, const std::string& name, const std::string& shown) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM) throw fault::system_error(errno, "removing", shown);
  const Fd inner(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner) throw fault::system_error(errno, "removing", shown);
  // A step may have left folders it cannot be emptied through; they are ours or we are root.
  ::fchmod(inner.get(), 0700);
  empty_folder(inner.get(), shown);
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw fault::system_error(errno, "removing", shown);
  }
}

}  // namespace

AtomicFile::AtomicFile(std::string path, unsigned mode)
    : path_(std::move(path)), temporary_(temporary_name(path_)), mode_(mode) {
  fd_ = Fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw fault::system_error(errno, "writing", path_);
}

AtomicFile::~AtomicFile() {
  if (fd_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  write_all(fd_.get(), bytes, path_);
}

void AtomicFile::commit(Replace replace) {
  if (::fchmod(fd_.get(), mode_) != 0) throw fault::system_error(errno, "setting the mode of", path_);
  if (::fsync(fd_.get()) != 0) throw fault::system_error(errno, "syncing", path_);
  crash_point("files.before-rename");
  const unsigned flags = replace == Replace::no ? 1U : 0U;  // RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
    const int error = errno;
    if (error == EEXIST) {
      throw fault::Error(fault::Code::file_unsuitable, "exists", fmt::format("{} is there already", path_), path_,
                         "Name another file, or move the old one away first.");
    }
    throw fault::system_error(error, "writing", path_);
  }
  fd_.reset();
  crash_point("files.after-rename");
  sync_folder(parent_of(path_));
}

void write_atomically(const std::string& path, std::string_view bytes, unsigned mode, Replace replace) {
  if (Bearer* bearer = bearer_of(path)) return bearer->write(plain(path), bytes, mode, replace);
  AtomicFile file(path, mode);
  file.write(bytes);
  file.commit(replace);
}

void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw fault::system_error(errno, "writing", name);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void sync_folder(const std::string& path) {
  const Fd folder = open_folder(path);
  // FUSE file systems answer EINVAL for folders: they have nothing to sync there.
  if (::fsync(folder.get()) != 0 && errno != EINVAL) throw fault::system_error(errno, "syncing", path);
}

void make_folders(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!part.empty() && ::mkdir(part.c_str(), mode) == 0) {
      sync_folder(parent_of(part));
    } else if (!part.empty() && errno != EEXIST) {
      throw fault::system_error(errno, "making folder", part);
    }
    if (slash == std::string::npos) break;
  }
  const Fd made = open_folder(path);  // says so when something else stands there
}

void remove_tree(const std::string& path) {
  const std::string parent = parent_of(path);
  const Fd folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder && errno == ENOENT) return;
  if (!folder) throw fault::system_error(errno, "opening folder", parent);
  remove_at(folder.get(), path.substr(path.find_last_of('/') + 1), path);
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) throw fault::system_error(errno, "looking at the free space of", path);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

void crash_point(std::string_view name) {
  static const char* const wanted = std::getenv("STELLA_CRASH_AT");
  if (wanted == nullptr) return;
  const std::string_view text(wanted);
  const auto colon = text.find(':');
  if (text.substr(0, colon) != name) return;
  static int left = colon == std::string_view::npos ? 1 : std::atoi(wanted + colon + 1);
  if (--left == 0) ::kill(::getpid(), SIGKILL);
}

}  // namespace stella::files
