// SPDX-License-Identifier: Apache-2.0
// Where the blobs of an image lie: an OCI layout beneath images/NAME of a pack, one in the tar images/NAME.tar, or the
// home's registry. A layout says where bytes should be; whoever reads them compares the digest. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "appliance/image/documents.hpp"
#include "bundles/files/home.hpp"
#include "bundles/packfile/bundle.hpp"

namespace stella::image {

using Extent = packfile::Place;  // some bytes of a file on the disk

struct Layout {
  std::string shown;  // for messages
  std::function<std::optional<Extent>(const canon::Digest&)> find;
  std::function<std::optional<Extent>()> index;  // index.json
};

// Those of a pack that have this name, at most two. Hostile tars: ERR_PACK_INVALID with archive's reasons.
[[nodiscard]] std::vector<Layout> layouts_in_pack(const packfile::Opened& pack, const std::string& name);
[[nodiscard]] std::vector<Layout> layouts_in_folder(const std::string& folder, const std::string& name);
[[nodiscard]] Layout layout_of_registry(const files::Home& home);

// The bytes of an extent in blocks, empty at the end; a file that ends early ends early.
[[nodiscard]] std::function<std::string_view()> source_of(const Extent& extent);
// The whole of a small blob, verified: ERR_PACK_HASH_MISMATCH reason image, ERR_PACK_INVALID reason size.
[[nodiscard]] std::string read_document(const Extent& extent, const canon::Digest& digest, const std::string& at);

}  // namespace stella::image
