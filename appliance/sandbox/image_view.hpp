// SPDX-License-Identifier: Apache-2.0
// The files of a runtime image as the step's root: each entry of its top folder, of /etc and of /home is bound on its
// own into the small memory root, read-only, so that our own mount points and the made /etc files stand beside them and
// the image's tree is never written to.
#pragma once

#include <string>
#include <vector>

#include "appliance/sandbox/blueprint.hpp"

namespace stella::sandbox {

// What of the image is shown where. Parent side. What the runner makes itself (/dev, /proc, /run, /tmp, /etc/passwd,
// ...) is left out. Throws ERR_PACK_INVALID, reason image, for a root with more entries than can be bound.
[[nodiscard]] std::vector<ImageEntry> image_entries(const std::string& image_root, const std::vector<TextFile>& etc);
// Binds them. Child side, async-signal-safe; the current folder is `root` afterwards.
void place_image(int root, int image, const Blueprint& blueprint, int socket) noexcept;

}  // namespace stella::sandbox
