// SPDX-License-Identifier: Apache-2.0
// Who a step is. Inside it is always the same user `stella`; outside it is never the user 0.
//
// Run by an ordinary user: that user, and nobody else is mapped. Run by root: a number that no account and no container
// owns, `first + pid of the step's init`, so two running steps never meet (a pid is free only when its tree is gone).
// On disk the run's folders then belong to `first`, and an id-mapped mount shows them to the step as its own.
// Source: systemd "Users, Groups, UIDs and GIDs": 1879048192..2147483646 is used by nobody.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stella::sandbox {

inline constexpr std::uint32_t kBlockSize = 4194304 + 1;  // the kernel's largest pid, and one for the owner on disk

struct Identity {
  bool privileged = false;   // run by root: the parent writes the maps
  std::uint32_t inside = 0;  // the step's uid and gid as it sees itself; owner on disk when privileged
  std::uint32_t caller_uid = 0, caller_gid = 0;
  [[nodiscard]] std::uint32_t outside(pid_t init) const noexcept {
    return privileged ? inside + static_cast<std::uint32_t>(init) : caller_uid;
  }
};

struct AccountTexts {
  std::string uid_map, gid_map, passwd, group, subuid, subgid;
};
// The first of the candidate blocks that this user namespace maps and no account or container range touches.
[[nodiscard]] std::optional<std::uint32_t> find_block(const AccountTexts& texts);
// Throws ERR_SANDBOX_UNAVAILABLE, reason `identity`, when root has no such block here.
[[nodiscard]] Identity choose_identity();

// Parent, privileged: maps `inside` to outside(init) for the child. false with errno.
[[nodiscard]] bool write_maps(const Identity& identity, pid_t init) noexcept;
// Child, ordinary user: maps itself. Async-signal-safe. false with errno.
[[nodiscard]] bool map_myself(const Identity& identity) noexcept;
// Child, privileged, after write_maps: becomes that user for ever. Async-signal-safe. false with errno.
[[nodiscard]] bool become(const Identity& identity) noexcept;

}  // namespace stella::sandbox
