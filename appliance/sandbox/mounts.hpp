// SPDX-License-Identifier: Apache-2.0
// What the step sees of the disk: a small memory root with /usr (or what a runtime image has instead), /etc, /dev and
// /proc, and the run's own folders.
// Child side; async-signal-safe throughout. Every failure ends the child with a report.
#pragma once

#include <array>

#include "appliance/sandbox/blueprint.hpp"
#include "appliance/sandbox/report.hpp"

namespace stella::sandbox {

inline constexpr std::size_t kFolders = 6;  // pack, inputs, work, artifacts, output, image
inline constexpr std::size_t kImage = 5;
using FolderMounts = std::array<int, kFolders>;

struct View {
  int proc = -1;     // the step's own /proc, for the parent: only processes of the step are in it
  int secrets = -1;  // the writable side of /run/secrets, for the parent: it wipes them when the step is over
};

// Opens the run's folders as mounts of their own. The caller's rights decide, so before it becomes another user.
void open_folders(const Blueprint& blueprint, int socket, FolderMounts& folders) noexcept;
// Builds the root, hides some of /proc, sets the network switches, and changes the root; the current folder is /work.
[[nodiscard]] View build_view(const Blueprint& blueprint, int socket, const FolderMounts& folders) noexcept;

}  // namespace stella::sandbox
