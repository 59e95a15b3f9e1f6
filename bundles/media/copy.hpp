// SPDX-License-Identifier: Apache-2.0
// Copies a folder to a medium so that it is really there: preflight, write into a `.partial-` folder, sync, read back
// past the page cache, rename. Nothing is ever overwritten. One thread per copy. Errors: ERR_MEDIA_FULL,
// ERR_MEDIA_GONE, ERR_MEDIA_UNSUITABLE (exists, read-back), ERR_EVIDENCE_TAMPERED when the source itself is not what
// its list says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/media/volume.hpp"

namespace stella::media {

struct File {
  std::string path;  // relative, `/` between parts
  canon::Digest digest;
  std::uint64_t size_bytes;
};
enum class Outcome { written, already_there };
struct Copied {
  Outcome outcome;
  std::string folder;
  bool cache_bypassed = true;  // false: the file system has no direct reads, so the read-back may have come from memory
};

// Gives the bytes of one file, in blocks; asked for each file once, in the order of the list.
using Source = std::function<void(const File&, const std::function<void(std::string_view)>& take)>;
[[nodiscard]] Source from_folder(const std::string& folder);

// `progress` gets the bytes done of all the work (twice the size: write and read back), a block at a time while reading
// back; what it throws ends the copy.
Copied copy_verified(const Source& source, const std::vector<File>& files, const Volume& volume,
                     const std::string& folder, const std::function<void(std::uint64_t)>& progress);

}  // namespace stella::media
