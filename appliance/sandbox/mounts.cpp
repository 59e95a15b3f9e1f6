// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/mounts.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "appliance/sandbox/image_view.hpp"
#include "appliance/sandbox/mount_calls.hpp"
#include "appliance/sandbox/netbox.hpp"

namespace stella::sandbox {
namespace {

constexpr std::array kDevices = {"null", "zero", "full", "random", "urandom"};
// Where /usr is not merged these are folders of their own, else links into it.
constexpr std::array kLinksIntoUsr = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
// Read from the host as they are: programs do not start without them, and they say nothing about the site.
constexpr std::array kHostEtc = {"etc/alternatives", "etc/ld.so.cache", "etc/ssl/certs"};
// Of the machine, not of the step. The rest of /proc is read-only and belongs to a user that is not mapped.
constexpr std::array kHiddenFiles = {"proc/kcore",      "proc/keys",          "proc/key-users",
                                     "proc/timer_list", "proc/sysrq-trigger", "proc/cmdline"};
constexpr std::array kHiddenFolders = {"proc/acpi", "proc/scsi"};
constexpr std::array kRootFolders = {"usr",       "etc",  "etc/ssl",     "dev",        "dev/shm",  "proc",
                                     "tmp",       "home", "home/step",   "pack",       "inputs",   "work",
                                     "artifacts", "run",  "run/secrets", "run/stella", "run/empty"};

struct Sources {
  int usr = -1;
  std::array<int, kLinksIntoUsr.size()> unmerged{};
  std::array<int, kHostEtc.size()> etc{};
  std::array<int, kDevices.size()> devices{};
};

void open_system(Sources& sources, int socket) noexcept {
  sources.usr = clone_mount(AT_FDCWD, "/usr", kReadOnly);
  need(sources.usr >= 0, socket, Stage::sources);
  std::array<char, 32> path{'/'};
  for (std::size_t i = 0; i < kLinksIntoUsr.size(); ++i) {
    std::strcpy(path.data() + 1, kLinksIntoUsr[i]);
    struct stat kind {};
    const bool is_folder = lstat(path.data(), &kind) == 0 && S_ISDIR(kind.st_mode);
    sources.unmerged[i] = is_folder ? clone_mount(AT_FDCWD, path.data(), kReadOnly) : -1;
    need(!is_folder || sources.unmerged[i] >= 0, socket, Stage::sources);
  }
  for (std::size_t i = 0; i < kHostEtc.size(); ++i) {
    std::strcpy(path.data() + 1, kHostEtc[i]);
    sources.etc[i] = clone_mount(AT_FDCWD, path.data(), kReadOnly);
    need(sources.etc[i] >= 0 || errno == ENOENT || errno == EACCES, socket, Stage::sources);
  }
}

// Before the new root covers anything.
Sources open_sources(bool with_system, int socket) noexcept {
  Sources sources;
  if (with_system) open_system(sources, socket);
  std::array<char, 32> path{'/'};
  for (std::size_t i = 0; i < kDevices.size(); ++i) {
    std::strcpy(path.data() + 1, "dev/");
    std::strcat(path.data(), kDevices[i]);
    sources.devices[i] = clone_mount(AT_FDCWD, path.data(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    need(sources.devices[i] >= 0, socket, Stage::devices);
  }
  return sources;
}

int make_root(bool with_system, int socket) noexcept {
  const int root = memory_mount("tmpfs", "16m", "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  need(root >= 0, socket, Stage::root);
  // Any folder does as the place to attach it; this one is there on every machine and is open already.
  need(move_mount(root, "", AT_FDCWD, "/usr", MOVE_MOUNT_F_EMPTY_PATH) == 0, socket, Stage::root);
  for (const char* folder : kRootFolders) {
    const bool is_system = std::strcmp(folder, "usr") == 0 || std::strcmp(folder, "etc/ssl") == 0;
    if (is_system && !with_system) continue;  // the image's, a folder or a link
    need(mkdirat(root, folder, 0755) == 0, socket, Stage::root);
  }
  return root;
}

void write_text(int root, const TextFile& file, int socket) noexcept {
  const int fd = openat(root, file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  need(fd >= 0, socket, Stage::etc);
  need(write(fd, file.text.data(), file.text.size()) == static_cast<ssize_t>(file.text.size()), socket, Stage::etc);
  close(fd);
}

// Makes the empty file or folder `at` when it is missing, and puts the mount there.
void place(int mount, int root, const char* at, int socket, Stage stage) noexcept {
  struct stat kind {};
  need(fstat(mount, &kind) == 0, socket, stage);
  const int made = S_ISDIR(kind.st_mode) ? mkdirat(root, at, 0755) : mknodat(root, at, S_IFREG | 0644, 0);
  need(made == 0 || errno == EEXIST, socket, stage);
  need(attach(mount, root, at), socket, stage);
}

void place_system(int root, const Sources& sources, int socket) noexcept {
  need(attach(sources.usr, root, "usr"), socket, Stage::root);
  std::array<char, 32> target{"usr/"};
  for (std::size_t i = 0; i < kLinksIntoUsr.size(); ++i) {
    if (sources.unmerged[i] >= 0) {
      place(sources.unmerged[i], root, kLinksIntoUsr[i], socket, Stage::root);
      continue;
    }
    std::strcpy(target.data() + 4, kLinksIntoUsr[i]);
    if (faccessat(root, target.data(), F_OK, 0) != 0) continue;
    need(symlinkat(target.data(), root, kLinksIntoUsr[i]) == 0, socket, Stage::root);
  }
  for (std::size_t i = 0; i < kHostEtc.size(); ++i) {
    if (sources.etc[i] >= 0) place(sources.etc[i], root, kHostEtc[i], socket, Stage::etc);
  }
  need(symlinkat("../usr/lib/os-release", root, "etc/os-release") == 0, socket, Stage::etc);
}

void place_devices(int root, const Sources& sources, int socket) noexcept {
  std::array<char, 32> path{"dev/"};
  for (std::size_t i = 0; i < kDevices.size(); ++i) {
    std::strcpy(path.data() + 4, kDevices[i]);
    place(sources.devices[i], root, path.data(), socket, Stage::devices);
  }
  need(symlinkat("/proc/self/fd", root, "dev/fd") == 0 && symlinkat("/proc/self/fd/0", root, "dev/stdin") == 0 &&
           symlinkat("/proc/self/fd/1", root, "dev/stdout") == 0 &&
           symlinkat("/proc/self/fd/2", root, "dev/stderr") == 0,
       socket, Stage::devices);
}

// /tmp, HOME and /dev/shm are three folders of one memory file system, so that one limit holds for all.
void place_scratch(int root, const Blueprint& blueprint, int socket) noexcept {
  const int scratch =
      memory_mount("tmpfs", blueprint.scratch_size.c_str(), "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  need(scratch >= 0 && attach(scratch, root, "tmp"), socket, Stage::scratch);
  struct Part {
    const char* name;
    unsigned mode;
    const char* target;
  };
  for (const Part& part : {Part{"home", 0700, "home/step"}, Part{"shm", 01777, "dev/shm"}, Part{"tmp", 01777, "tmp"}}) {
    need(mkdirat(scratch, part.name, part.mode) == 0, socket, Stage::scratch);
    const int mount = open_tree(scratch, part.name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    need(mount >= 0 && attach(mount, root, part.target), socket, Stage::scratch);
  }
}

// What is not there is left alone first: a mount made and not used costs a grace period of the kernel when it is
// closed.
void cover(int root, const char* at, const char* with, int socket) noexcept {
  if (faccessat(root, at, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return;
  const int nothing = clone_mount(root, with, kReadOnly);
  need(nothing >= 0 && attach(nothing, root, at), socket, Stage::proc);
  close(nothing);
}

int place_proc(int root, const Blueprint& blueprint, int socket) noexcept {
  const int proc = process_mount();
  need(proc >= 0, socket, Stage::proc);
  need(attach(proc, root, "proc"), socket, Stage::proc);
  need(set_network_switches(proc, blueprint.ping_group.data(), blueprint.ping_group.size()), socket, Stage::sysctl);
  for (const char* file : kHiddenFiles) cover(root, file, "dev/null", socket);
  for (const char* folder : kHiddenFolders) cover(root, folder, "run/empty", socket);
  // The whole of it read-only: the few files of its own that a step could write (oom_score_adj, comm) are not missed.
  need(set_attributes(proc, MOUNT_ATTR_RDONLY), socket, Stage::proc);
  return proc;
}

// ramfs: never swapped out. The step sees a read-only copy of the mount; the parent wipes through the other one.
int place_secrets(int root, const Blueprint& blueprint, int socket) noexcept {
  if (blueprint.secret_files.empty()) return -1;
  const int memory = memory_mount("ramfs", nullptr, "0700", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  need(memory >= 0 && attach(memory, root, "run/secrets"), socket, Stage::secrets);
  for (const SecretFile& secret : blueprint.secret_files) {
    const int fd = openat(memory, secret.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    need(fd >= 0, socket, Stage::secrets);
    const auto size = static_cast<ssize_t>(secret.value->size());
    need(write(fd, secret.value->data(), secret.value->size()) == size, socket, Stage::secrets);
    close(fd);
  }
  const int shown = clone_mount(memory, "", kReadOnly | MOUNT_ATTR_NOEXEC);
  need(shown >= 0 && attach(shown, root, "run/secrets"), socket, Stage::secrets);
  const int folder = openat(memory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  need(folder >= 0, socket, Stage::secrets);
  return folder;
}

}  // namespace

void open_folders(const Blueprint& blueprint, int socket, FolderMounts& folders) noexcept {
  for (std::size_t i = 0; i < blueprint.folders.size(); ++i) {
    const Folder& folder = blueprint.folders[i];
    folders[i] = clone_mount(AT_FDCWD, folder.source.c_str(), folder.read_only ? kReadOnly : kWritable);
    need(folders[i] >= 0, socket, Stage::folders);
  }
}

View build_view(const Blueprint& blueprint, int socket, const FolderMounts& folders) noexcept {
  const bool has_image = blueprint.folders.size() > kImage;
  const Sources sources = open_sources(!has_image, socket);
  const int root = make_root(!has_image, socket);
  for (const TextFile& file : blueprint.etc) write_text(root, file, socket);
  if (has_image)
    place_image(root, folders[kImage], blueprint, socket);
  else
    place_system(root, sources, socket);
  need(symlinkat("../proc/self/mounts", root, "etc/mtab") == 0 || errno == EEXIST, socket, Stage::etc);
  place_devices(root, sources, socket);
  View view;
  view.proc = place_proc(root, blueprint, socket);
  place_scratch(root, blueprint, socket);
  for (std::size_t i = 0; i < blueprint.folders.size() && i < kImage; ++i) {
    place(folders[i], root, blueprint.folders[i].target.c_str(), socket, Stage::folders);
  }
  view.secrets = place_secrets(root, blueprint, socket);
  need(set_attributes(root, MOUNT_ATTR_RDONLY), socket, Stage::root);
  // Twice the same folder: the old root is then below the new one, and is taken away (pivot_root(2), notes).
  need(fchdir(root) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0, socket,
       Stage::pivot);
  need(chdir("/") == 0 && chdir("/work") == 0, socket, Stage::pivot);
  return view;
}

}  // namespace stella::sandbox
