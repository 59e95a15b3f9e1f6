// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/limits.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace stella::sandbox {
namespace {

constexpr rlim_t kOpenFiles = 1024, kMostOpenFiles = 65536;

// A core dump would carry the step's secrets to the host's handler. With a piped core_pattern the kernel ignores a
// limit of 0 and gives up only at exactly 1 (fs/coredump.c). Where 1 cannot be set, the dump is made empty instead.
bool forbid_core_dumps() noexcept {
  const rlimit one{1, 1};
  if (setrlimit(RLIMIT_CORE, &one) == 0) return true;
  const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno == EROFS;  // the hard limit is 0 already, the least that can be had
  const bool ok = write(fd, "0", 1) == 1;
  close(fd);
  return ok;
}

}  // namespace

bool set_limits(unsigned max_processes) noexcept {
  if (!forbid_core_dumps()) return false;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  if (files.rlim_max > kMostOpenFiles) files.rlim_max = kMostOpenFiles;
  files.rlim_cur = files.rlim_max < kOpenFiles ? files.rlim_max : kOpenFiles;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  rlimit processes{};
  if (getrlimit(RLIMIT_NPROC, &processes) != 0) return false;
  if (processes.rlim_max > max_processes) processes.rlim_max = max_processes;
  processes.rlim_cur = processes.rlim_max;
  return setrlimit(RLIMIT_NPROC, &processes) == 0;
}

void reset_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool drop_privileges() noexcept {
  // The user is not 0 and no set-id file can be run; the securebits say it a second time, for good.
  constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (prctl(PR_SET_SECUREBITS, kBits) != 0) return false;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return false;
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &head, none) != 0) return false;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace stella::sandbox
