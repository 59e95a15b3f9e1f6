// SPDX-License-Identifier: Apache-2.0
// The system call filter of a step: a deny list. The namespaces are the barrier; this only makes the kernel's surface
// smaller and refuses what namespaces do not cover (AF_VSOCK, keys, set-id bits in the run's folders, terminals).
//
// Kills on a foreign architecture (int 0x80, x32). What a step meets: EPERM, or ENOSYS where programs know a way round
// (clone3, io_uring, openat2), EAFNOSUPPORT for socket families, ENOTSUP for extended attributes.
// Known consequence: strace, gdb and LeakSanitizer do not work inside a step (docs/sandbox.md).
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

namespace stella::sandbox {

// Compiled by libseccomp at the first call of this process, then kept. Throws ERR_SANDBOX_UNAVAILABLE, reason `filter`.
[[nodiscard]] const std::vector<sock_filter>& step_filter();
// Async-signal-safe; no_new_privs must be set. false with errno.
[[nodiscard]] bool load_filter(std::span<const sock_filter> program) noexcept;

}  // namespace stella::sandbox
