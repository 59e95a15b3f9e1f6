// SPDX-License-Identifier: Apache-2.0
// The runtime image of a pack: found in the pack or the registry by the digest that pack.yaml pins, verified down to
// the last layer, and unpacked once for all runs of the home into images/<64 hex>/ {manifest.json, config.json,
// tree.list, rootfs/}. That folder is a cache: it may be deleted, and is compared with its listing before each run.
//
// Owners, set-id bits, extended attributes and devices of an image are dropped; modes become 0755 or 0644. Any thread;
// several processes may prepare one image.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "appliance/image/documents.hpp"
#include "appliance/image/layout.hpp"
#include "appliance/pack/manifest.hpp"
#include "bundles/files/home.hpp"

namespace stella::image {

inline constexpr std::uint64_t kMaxUnpacked = std::uint64_t{8} << 30;  // of all layers together
inline constexpr std::size_t kMaxEntries = 500000;

struct Found {
  Manifest manifest;
  Config config;
  std::string manifest_bytes, config_bytes;
  std::vector<Extent> layers;  // their sizes hold, their digests were not compared yet
  std::string shown;           // where it was found
};
// In the first of `layouts` that has the manifest. ERR_PACK_NOT_FOUND reason image, saying what a layout of that name
// has instead; ERR_PACK_INVALID, ERR_PACK_HASH_MISMATCH reason image for an image that is not whole.
[[nodiscard]] Found find(const pack::Runtime& runtime, const std::vector<Layout>& layouts);

// For authors: an image that the pack carries is whole, and the one that is meant. A pack without one needs the
// registry at run time.
[[nodiscard]] std::vector<pack::Problem> check_layouts(const pack::Runtime& runtime,
                                                       const std::vector<Layout>& layouts);
// For a pack that comes in: in it or in the registry.
void require_present(const pack::Runtime& runtime, const packfile::Opened& pack, const files::Home& home);

struct Prepared {
  std::string root;                        // folder: what the step sees as /
  std::map<std::string, std::string> env;  // of the image's config
  canon::Digest tree;                      // of the listing: the same for the same image on any machine
  std::size_t left_out = 0;                // devices and the like, when it was unpacked just now
};
// ERR_PACK_HASH_MISMATCH reason image when an unpacked tree was changed or a layer is not its digest; ERR_PACK_INVALID
// with reason platform, or archive's and tree's reasons; ERR_NO_SPACE.
[[nodiscard]] Prepared prepare(const pack::Runtime& runtime, const packfile::Opened& pack, const files::Home& home);

}  // namespace stella::image
