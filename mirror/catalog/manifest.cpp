// SPDX-License-Identifier: Apache-2.0
#include "mirror/catalog/manifest.hpp"

#include "bundles/canon/fields.hpp"

namespace stella::catalog {
namespace {

constexpr auto kCode = fault::Code::mirror_malformed;
constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";
constexpr const char* kPackType = "application/vnd.stella.pack.v1";
constexpr std::int64_t kMaxSize = std::int64_t{1} << 50;

blobs::Blob parse_descriptor(const canon::Json& object, const std::string& at) {
  canon::Fields fields(object, kCode, "oci", at);
  (void)fields.text("mediaType", 255);
  if (fields.has("annotations")) (void)fields.object("annotations");
  blobs::Blob blob;
  blob.digest = canon::parse_digest(fields.text("digest", 71), kCode, at + ".digest");
  blob.size_bytes = static_cast<std::uint64_t>(fields.integer("size", 0, kMaxSize));
  fields.finish();
  return blob;
}

}  // namespace

Manifest parse_manifest(std::string_view text, const std::string& at) {
  const canon::Json object = canon::parse_json(text, kCode, at, kMaxManifest);
  canon::Fields fields(object, kCode, "oci", at);
  (void)fields.integer("schemaVersion", 2, 2);
  (void)fields.choice("mediaType", {kManifestType});
  (void)fields.choice("artifactType", {kPackType});
  if (fields.has("annotations")) (void)fields.object("annotations");
  Manifest manifest;
  manifest.config = parse_descriptor(fields.object("config"), at + ".config");
  for (const canon::Json& layer : fields.array("layers", 100000)) {
    manifest.layers.push_back(parse_descriptor(layer, at + ".layers"));
  }
  fields.finish();
  return manifest;
}

std::string write_index_json(const std::vector<Tagged>& packs) {
  canon::Json manifests = canon::Json::array();
  for (const Tagged& pack : packs) {
    manifests.push_back({{"mediaType", kManifestType},
                         {"artifactType", kPackType},
                         {"digest", pack.manifest.digest.tagged()},
                         {"size", pack.manifest.size_bytes},
                         {"annotations", {{"org.opencontainers.image.ref.name", pack.name_version}}}});
  }
  return canon::canonical({{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", manifests}});
}

}  // namespace stella::catalog
