// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/mount_calls.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

namespace stella::sandbox {
namespace {

int closed_with_errno(int fd) noexcept {
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int finished(int context, std::uint64_t attributes) noexcept {
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return closed_with_errno(context);
  const int mount = fsmount(context, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes));
  if (mount < 0) return closed_with_errno(context);
  close(context);
  return mount;
}

bool set(int context, const char* key, const char* value) noexcept {
  return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

}  // namespace

int clone_mount(int folder, const char* path, std::uint64_t attributes) noexcept {
  const int mount = open_tree(
      folder, path,
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | (*path == '\0' ? AT_EMPTY_PATH : 0));
  if (mount < 0) return -1;
  struct mount_attr wanted {};
  wanted.attr_set = attributes;
  wanted.propagation = MS_PRIVATE;
  if (mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0)
    return closed_with_errno(mount);
  return mount;
}

bool set_attributes(int mount, std::uint64_t attributes) noexcept {
  struct mount_attr wanted {};
  wanted.attr_set = attributes;
  return mount_setattr(mount, "", AT_EMPTY_PATH, &wanted, sizeof wanted) == 0;
}

int memory_mount(const char* type, const char* size, const char* mode, std::uint64_t attributes) noexcept {
  const int context = fsopen(type, FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  if (size != nullptr && !set(context, "size", size)) return closed_with_errno(context);
  if (!set(context, "mode", mode)) return closed_with_errno(context);
  return finished(context, attributes);
}

int process_mount() noexcept {
  const int context = fsopen("proc", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  if (!set(context, "hidepid", "ptraceable")) return closed_with_errno(context);
  return finished(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

bool attach(int mount, int root, const char* at) noexcept {
  return move_mount(mount, "", root, at, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

}  // namespace stella::sandbox
