// SPDX-License-Identifier: Apache-2.0
// The OCI documents of a pack as far as the registry needs them: which blobs a manifest names, and index.json. Any
// thread. Errors: ERR_MIRROR_MALFORMED reason oci. Source: OCI image-spec 1.1.0, manifest.md, image-index.md,
// annotations.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mirror/blobs/store.hpp"

namespace stella::catalog {

inline constexpr std::uint64_t kMaxManifest = std::uint64_t{4} << 20;

struct Manifest {
  blobs::Blob config;  // its digest is the pack digest
  std::vector<blobs::Blob> layers;
};
// Takes an image manifest of a pack only; refused: an index, another artifactType, `subject`, `urls`, `data`.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& at);

struct Tagged {
  std::string name_version;
  blobs::Blob manifest;
};
[[nodiscard]] std::string write_index_json(const std::vector<Tagged>& packs);

}  // namespace stella::catalog
