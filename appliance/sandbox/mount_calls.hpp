// SPDX-License-Identifier: Apache-2.0
// The few mount calls that the view is made of (linux 5.12 and later). Async-signal-safe; failures leave errno.
#pragma once

#include <sys/mount.h>

#include <cstdint>

namespace stella::sandbox {

inline constexpr std::uint64_t kWritable = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
inline constexpr std::uint64_t kReadOnly = kWritable | MOUNT_ATTR_RDONLY;

// A detached copy of what is at `path` and all that is mounted beneath, private, with these attributes; -1 on failure.
// An empty path means `folder` itself. Links at the end of the path are not followed.
[[nodiscard]] int clone_mount(int folder, const char* path, std::uint64_t attributes) noexcept;
[[nodiscard]] bool set_attributes(int mount, std::uint64_t attributes) noexcept;
// An empty memory file system, detached. size may be nullptr (ramfs has no limit).
[[nodiscard]] int memory_mount(const char* type, const char* size, const char* mode, std::uint64_t attributes) noexcept;
// A proc of this pid namespace, detached; each process sees only those it could trace.
[[nodiscard]] int process_mount() noexcept;
[[nodiscard]] bool attach(int mount, int root, const char* at) noexcept;

}  // namespace stella::sandbox
