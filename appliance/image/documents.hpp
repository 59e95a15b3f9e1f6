// SPDX-License-Identifier: Apache-2.0
// The two documents of an OCI image, manifest and config, read strictly where they matter to us; what else foreign
// tools write into them is passed over. Any thread. Source: OCI image-spec 1.1 manifest.md, config.md, image-index.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/archive/layer.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::image {

inline constexpr std::uint64_t kMaxDocument = std::uint64_t{4} << 20;  // bytes of a manifest or config
inline constexpr std::size_t kMaxLayers = 256;
inline constexpr std::uint64_t kMaxBlob = std::uint64_t{8} << 30;

struct Blob {
  canon::Digest digest;
  std::uint64_t size_bytes = 0;
};
struct Layer : Blob {
  archive::Packing packing = archive::Packing::none;
};
struct Manifest {
  Blob config;
  std::vector<Layer> layers;
};
struct Config {
  std::string os, architecture;  // as Go calls them: linux, amd64
  std::vector<canon::Digest> diff_ids;
  std::map<std::string, std::string> env;
};

// Throw ERR_PACK_INVALID: reason json, or `image` for what is no image that can be used. An index (an image for several
// machines) is refused with the digest that this machine's image has in it.
[[nodiscard]] Manifest parse_manifest(std::string_view bytes, const std::string& at);
[[nodiscard]] Config parse_config(std::string_view bytes, const std::string& at);
// amd64, arm64, ...: what images call the machine that this runs on.
[[nodiscard]] std::string machine();

}  // namespace stella::image
