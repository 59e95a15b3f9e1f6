// SPDX-License-Identifier: Apache-2.0
// From layers to a folder. The contents go to numbered files first, and only what the whole image says about their
// names puts them into the tree. One thread.
#pragma once

#include <string>

#include "appliance/image/image.hpp"
#include "appliance/image/listing.hpp"
#include "appliance/image/tree.hpp"

namespace stella::image {

// Takes one layer's entries into the tree; `keep` takes a file's content and gives its number. Returns how many entries
// were left out (devices, FIFOs), and the layer's `diff_id`.
struct Applied {
  canon::Digest diff_id;
  std::size_t left_out = 0;
};
using Keep = std::function<std::size_t(const archive::LayerEntry&, archive::MemberReader&)>;
[[nodiscard]] Applied apply_layer(Tree& tree, const std::function<std::string_view()>& source, archive::Packing packing,
                                  archive::LayerLimits limits, const std::string& at, const Keep& keep);

struct Unpacked {
  std::string listing;
  std::size_t left_out = 0;
};
// Makes `folder`/rootfs. Every layer's digest, size and diff_id is compared; ERR_PACK_HASH_MISMATCH reason image.
[[nodiscard]] Unpacked unpack(const Found& found, const std::string& folder);

}  // namespace stella::image
