// SPDX-License-Identifier: Apache-2.0
// Copies what is missing from a verified bundle into the blob store. The registry's lock is the caller's.
// Errors: ERR_MIRROR_DIGEST (blob, volume, pack), ERR_MIRROR_MALFORMED (missing, oci, truncated), ERR_NO_SPACE before
// the first large write when the room does not suffice, ERR_MEDIA_GONE.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mirror/blobs/store.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/intake/feed.hpp"
#include "mirror/volumes/volume.hpp"

namespace stella::intake {

struct Transferred {
  std::uint64_t stored_blobs = 0, stored_bytes = 0, kept_blobs = 0;
};
// Afterwards every pack's blobs are listed in it, in the store and durable.
Transferred transfer(const blobs::Store& store, Feed& feed, const std::vector<volumes::Row>& rows,
                     std::vector<catalog::Pack>& packs, const std::function<void(const std::string&)>& note);

}  // namespace stella::intake
