// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/ownership.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "appliance/sandbox/diagnosis.hpp"
#include "appliance/sandbox/mount_calls.hpp"
#include "bundles/fault/error.hpp"

namespace stella::sandbox {
namespace {

constexpr int kDeepest = 200;
using Listing = files::Handle<DIR, closedir>;

void give_entries(files::Fd folder, const std::string& path, std::uint32_t owner, int depth) {
  if (depth > kDeepest) throw fault::system_error(ELOOP, "giving to the step", path);
  const Listing listing(fdopendir(folder.get()));
  if (!listing) throw fault::system_error(errno, "reading", path);
  const int fd = folder.release();  // the listing's now
  while (const dirent* entry = readdir(listing.get())) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    const std::string name = path + "/" + entry->d_name;
    if (files::Fd inner(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)); inner) {
      give_entries(std::move(inner), name, owner, depth + 1);
    }
    if (fchownat(fd, entry->d_name, owner, owner, AT_SYMLINK_NOFOLLOW) != 0) {
      throw fault::system_error(errno, "giving to the step", name);
    }
  }
}

bool map_ids(int mount, int user_namespace, std::uint64_t attributes) {
  struct mount_attr wanted {};
  wanted.attr_set = attributes | MOUNT_ATTR_IDMAP;
  wanted.propagation = MS_PRIVATE;
  wanted.userns_fd = static_cast<std::uint64_t>(user_namespace);
  return mount_setattr(mount, "", AT_EMPTY_PATH, &wanted, sizeof wanted) == 0;
}

// Shared by runs and readable for all: nobody's but its own user's.
files::Fd image_mount(const Folder& folder) {
  files::Fd mount(clone_mount(AT_FDCWD, folder.source.c_str(), kReadOnly));
  if (!mount && errno == EPERM) throw unavailable(Stage::folders, errno);
  if (!mount) throw fault::system_error(errno, "opening for the step", folder.source);
  return mount;
}

files::Fd folder_mount(const Folder& folder, const Identity& identity, pid_t init, int user_namespace) {
  if (folder.owner == Owner::nobody) return image_mount(folder);
  const std::uint64_t attributes = folder.read_only ? kReadOnly : kWritable;
  files::Fd mount(
      open_tree(AT_FDCWD, folder.source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW));
  if (!mount && errno == EPERM) throw unavailable(Stage::folders, errno);  // root without CAP_SYS_ADMIN
  if (!mount) throw fault::system_error(errno, "opening for the step", folder.source);
  if (map_ids(mount.get(), user_namespace, attributes)) {
    give_tree(folder.source, identity.inside);
    return mount;
  }
  // EINVAL: this file system has no id-mapped mounts (tmpfs before 6.3, vfat).
  if (errno != EINVAL) throw fault::system_error(errno, "mounting for the step", folder.source);
  give_tree(folder.source, identity.outside(init));
  files::Fd plain(clone_mount(AT_FDCWD, folder.source.c_str(), attributes));
  if (!plain) throw fault::system_error(errno, "mounting for the step", folder.source);
  return plain;
}

}  // namespace

void give_tree(const std::string& path, std::uint32_t owner) {
  struct stat top {};
  if (lstat(path.c_str(), &top) != 0) throw fault::system_error(errno, "looking at", path);
  if (top.st_uid == owner && top.st_gid == owner) return;
  if (S_ISDIR(top.st_mode)) {
    files::Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) throw fault::system_error(errno, "opening", path);
    give_entries(std::move(folder), path, owner, 0);
  }
  if (lchown(path.c_str(), owner, owner) != 0) throw fault::system_error(errno, "giving to the step", path);
}

std::vector<files::Fd> folder_mounts(const Blueprint& blueprint, pid_t init) {
  const std::string path = "/proc/" + std::to_string(init) + "/ns/user";
  const files::Fd user_namespace(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!user_namespace) throw fault::system_error(errno, "opening", path);
  std::vector<files::Fd> mounts;
  for (const auto& folder : blueprint.folders) {
    mounts.push_back(folder_mount(folder, blueprint.identity, init, user_namespace.get()));
  }
  return mounts;
}

}  // namespace stella::sandbox
