// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/diagnosis.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

namespace stella::sandbox {
namespace {

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string own_seccomp_mode() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("Seccomp:", 0) == 0) return line.substr(line.find_last_of(" \t") + 1);
  }
  return {};
}

bool same_mount_namespace() {
  struct stat ours {
  }, first{};
  return stat("/proc/self/ns/mnt", &ours) == 0 && stat("/proc/1/ns/mnt", &first) == 0 && ours.st_ino == first.st_ino;
}

// Compared with process 1's root, which only root may look at; others cannot have made a chroot anyway.
bool in_chroot() {
  struct statx ours {
  }, first{};
  constexpr unsigned kWanted = STATX_INO | STATX_MNT_ID;
  if (statx(AT_FDCWD, "/", 0, kWanted, &ours) != 0 || statx(AT_FDCWD, "/proc/1/root/.", 0, kWanted, &first) != 0)
    return false;
  if (ours.stx_ino != first.stx_ino || ours.stx_dev_major != first.stx_dev_major ||
      ours.stx_dev_minor != first.stx_dev_minor) {
    return true;
  }
  return same_mount_namespace() && ours.stx_mnt_id != first.stx_mnt_id;  // a bind mount of the root itself
}

Cause namespaces_refused(int error, const Switches& switches) {
  if (error == ENOSPC || switches.max_user_namespaces == "0") {
    return {
        "max-user-namespaces",
        "the kernel may make no more user namespaces (user.max_user_namespaces = " + switches.max_user_namespaces + ")",
        "as root: sysctl -w user.max_user_namespaces=15000, and put it into /etc/sysctl.d/"};
  }
  if (error == EPERM && switches.userns_clone == "0" && !switches.is_root) {
    return {"unprivileged-userns-clone",
            "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone = 0)",
            "as root: sysctl -w kernel.unprivileged_userns_clone=1, and put it into /etc/sysctl.d/"};
  }
  if (error == EPERM && switches.is_chrooted) {
    return {"chroot", "this process runs in a chroot, where the kernel makes no user namespaces",
            "enter the folder with `unshare --mount` and pivot_root, or systemd-nspawn, instead of chroot"};
  }
  if (error == EPERM && switches.seccomp_mode == "2") {
    return {"seccomp",
            "a system call filter around this process forbids new namespaces (a container's default profile)",
            "start the container with a seccomp profile that allows clone3, unshare, mount and pivot_root "
            "(docker: --security-opt seccomp=unconfined), or run stella outside of it"};
  }
  if (error == ENOSYS) {
    return {"kernel", "the kernel has no clone3 call, or a system call filter hides it",
            "use linux 5.12 or later; in a container, allow clone3"};
  }
  if (error == EINVAL) {
    return {"kernel", "the kernel was built without one of the user, mount, pid, network, ipc, uts, cgroup namespaces",
            "use a kernel with CONFIG_NAMESPACES and all its kinds"};
  }
  return {"namespaces", "new namespaces are refused", "see `sysctl user.` and the security module's log"};
}

Cause maps_refused(const Switches& switches) {
  if (switches.apparmor_restricts == "1") {
    return {
        "apparmor",
        "AppArmor takes the privileges out of user namespaces of programs without a profile "
        "(kernel.apparmor_restrict_unprivileged_userns = 1)",
        "as root: give stella a profile with `userns,`, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"};
  }
  if (switches.is_root) {
    return {"maps", "root may not map the step's user here (a container without CAP_SETUID and CAP_SETGID)",
            "run stella as an ordinary user, or give the container these capabilities"};
  }
  return {"maps", "the step's user could not be mapped", "see the security module's log (AppArmor, SELinux)"};
}

}  // namespace

Switches read_switches() {
  return {.max_user_namespaces = first_line("/proc/sys/user/max_user_namespaces"),
          .userns_clone = first_line("/proc/sys/kernel/unprivileged_userns_clone"),
          .apparmor_restricts = first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
          .seccomp_mode = own_seccomp_mode(),
          .is_chrooted = geteuid() == 0 && in_chroot(),
          .is_root = geteuid() == 0};
}

Cause explain(Stage stage, int error, const Switches& switches) {
  if (stage == Stage::clone) return namespaces_refused(error, switches);
  if (stage == Stage::maps) return maps_refused(switches);
  if (stage == Stage::proc && error == EPERM) {
    return {
        "proc", "a /proc of its own is refused, because this one has parts covered (a container)",
        "start the container with an uncovered /proc (docker: --security-opt systempaths=unconfined), or run stella "
        "outside of it"};
  }
  if (switches.apparmor_restricts == "1" && (error == EACCES || error == EPERM) && !switches.is_root)
    return maps_refused(switches);
  if (stage == Stage::folders && error == EPERM) {
    return {"mounts", "root may not mount the run's folders here (a container without CAP_SYS_ADMIN)",
            "run stella as an ordinary user, or give the container this capability"};
  }
  if (error == ENOSYS) {
    return {"kernel", "the kernel lacks a call that the sandbox needs, or a filter hides it",
            "use linux 5.12 or later"};
  }
  if (error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN) {
    return {"resources", "the machine has no more of what this needs",
            "end other programs, or raise the limits (ulimit -a)"};
  }
  return {"setup", "the sandbox could not be built",
          "run `stella doctor`; the message names the call that was refused"};
}

fault::Error unavailable(Stage stage, int error) {
  const Cause cause = explain(stage, error, read_switches());
  return {
      fault::Code::sandbox_unavailable, cause.reason,
      cause.what + "; failed at " + name_of(stage) + ": " + std::strerror(error) + " (" + strerrorname_np(error) + ")",
      "sandbox", cause.fix};
}

}  // namespace stella::sandbox
