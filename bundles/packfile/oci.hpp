// SPDX-License-Identifier: Apache-2.0
// The OCI documents around a pack: image manifest, index, layout marker. Transport only: what is signed is the config.
// Read with the fields that copying tools add; layers, config and sizes strictly. Any thread.
// Source: OCI image-spec 1.1 manifest.md, image-index.md, image-layout.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"

namespace stella::packfile {

inline constexpr std::string_view kArtifactType = "application/vnd.stella.pack.v1";
inline constexpr std::string_view kConfigType = "application/vnd.stella.pack.config.v1+json";
inline constexpr std::string_view kLayerType = "application/vnd.stella.pack.layer.v1.tar";
inline constexpr std::string_view kSignatureType = "application/vnd.dsse.envelope.v1+json";
inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";

struct Descriptor {
  std::string media_type;
  canon::Digest digest;
  std::uint64_t size_bytes = 0;
};
struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;
};

[[nodiscard]] std::string write_manifest(const ImageManifest& manifest);
[[nodiscard]] std::string write_index(const Descriptor& manifest, const std::string& name_version);
[[nodiscard]] std::string write_layout();
// Throw ERR_PACK_INVALID: json, oci.
[[nodiscard]] ImageManifest parse_manifest(std::string_view bytes, const std::string& at);
[[nodiscard]] Descriptor parse_index(std::string_view bytes, const std::string& at);  // its one descriptor
void check_layout(std::string_view bytes, const std::string& at);

}  // namespace stella::packfile
