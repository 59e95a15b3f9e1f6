// SPDX-License-Identifier: Apache-2.0
// Why this machine does not give us a sandbox, and which switch changes that. Any thread.
#pragma once

#include <string>

#include "appliance/sandbox/report.hpp"
#include "bundles/fault/error.hpp"

namespace stella::sandbox {

// What the kernel and its administrators say about user namespaces; empty where the file is not there.
struct Switches {
  std::string max_user_namespaces;  // /proc/sys/user/max_user_namespaces
  std::string userns_clone;         // /proc/sys/kernel/unprivileged_userns_clone (Debian's kernels)
  std::string apparmor_restricts;   // /proc/sys/kernel/apparmor_restrict_unprivileged_userns (Ubuntu's)
  std::string seccomp_mode;         // of this process: `2` in most containers
  bool is_chrooted = false;
  bool is_root = false;
};
[[nodiscard]] Switches read_switches();

struct Cause {
  std::string reason, what, fix;
};
[[nodiscard]] Cause explain(Stage stage, int error, const Switches& switches);
// ERR_SANDBOX_UNAVAILABLE with the cause, the failed call's stage and errno.
[[nodiscard]] fault::Error unavailable(Stage stage, int error);

}  // namespace stella::sandbox
