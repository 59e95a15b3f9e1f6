// SPDX-License-Identifier: Apache-2.0
// What an unpacked image's tree must look like, kept beside it, so that a tree that was changed since is noticed before
// a step sees it. Any thread.
//
// Text: `stella.image-tree.v1`, then a line for each entry in the order of the paths, with tabs between:
// `folder PATH`, `file MODE SIZE SHA256 PATH`, `link TARGET PATH`. Names in an image hold no tab and no newline.
#pragma once

#include <string>
#include <string_view>

#include "appliance/image/tree.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::image {

struct Content {  // of a file of the image
  std::uint64_t size_bytes = 0;
  canon::Digest digest;
  unsigned mode = 0644;  // or 0755
};

inline constexpr std::uint64_t kMaxListing = std::uint64_t{512} << 20;

[[nodiscard]] std::string write_listing(const Tree& tree, const std::vector<Content>& contents);
// Compares every entry, byte and mode of the tree. ERR_PACK_HASH_MISMATCH, reason image, names the first that differs.
void require_listed(const std::string& root, std::string_view listing, const std::string& fix);

}  // namespace stella::image
