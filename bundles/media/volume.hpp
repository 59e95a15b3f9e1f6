// SPDX-License-Identifier: Apache-2.0
// Removable media as somebody mounted them: stella never mounts. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace stella::media {

enum class Fixed { refuse, allow };

struct Volume {
  std::string path;         // as given, absolute
  std::string mount_point;  // of the file system that holds it
  std::string device, file_system;
  bool removable = false;  // a removable or loop device
  std::uint64_t free_bytes = 0;
};

// The medium at `path`: the mount point of a removable or loop device that can be written. ERR_MEDIA_UNSUITABLE,
// reasons folder, not-a-mount, fixed, read-only. With Fixed::allow any writable folder will do.
[[nodiscard]] Volume open_volume(const std::string& path, Fixed fixed);

}  // namespace stella::media
