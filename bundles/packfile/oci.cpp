// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/oci.hpp"

#include <fmt/format.h>

#include "bundles/canon/fields.hpp"
#include "bundles/packfile/bundle.hpp"

namespace stella::packfile {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;
constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

canon::Json to_json(const Descriptor& descriptor) {
  return {
      {"mediaType", descriptor.media_type}, {"digest", descriptor.digest.tagged()}, {"size", descriptor.size_bytes}};
}

Descriptor parse_descriptor(const canon::Json& object, const std::string& at) {
  canon::Fields fields(object, kInvalid, "oci", at);
  Descriptor descriptor;
  descriptor.media_type = fields.text("mediaType", 256);
  descriptor.digest = canon::parse_digest(fields.text("digest", 128), kInvalid, at + ".digest");
  descriptor.size_bytes =
      static_cast<std::uint64_t>(fields.integer("size", 0, static_cast<std::int64_t>(kMaxPackBytes)));
  for (const char* known : {"annotations", "artifactType", "platform"}) fields.ignore(known);
  fields.finish();
  return descriptor;
}

void check_version(canon::Fields& fields) {
  if (fields.integer("schemaVersion", 0, 1000) != 2) fields.fail("only OCI schema version 2 is read", "schemaVersion");
}

}  // namespace

std::string write_manifest(const ImageManifest& manifest) {
  canon::Json layers = canon::Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(to_json(layer));
  return canon::canonical({{"schemaVersion", 2},
                           {"mediaType", kManifestType},
                           {"artifactType", kArtifactType},
                           {"config", to_json(manifest.config)},
                           {"layers", std::move(layers)}});
}

std::string write_index(const Descriptor& manifest, const std::string& name_version) {
  canon::Json entry = to_json(manifest);
  entry["annotations"] = {{"org.opencontainers.image.ref.name", name_version}};
  return canon::canonical(
      {{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", canon::Json::array({std::move(entry)})}});
}

std::string write_layout() {
  return R"({"imageLayoutVersion":"1.0.0"})";
}

ImageManifest parse_manifest(std::string_view bytes, const std::string& at) {
  const canon::Json object = canon::parse_json(bytes, kInvalid, at, kMaxManifestBytes);
  canon::Fields fields(object, kInvalid, "oci", at);
  check_version(fields);
  if (fields.text("mediaType", 256) != kManifestType) fields.fail("this is not an OCI image manifest", "mediaType");
  if (fields.text("artifactType", 256) != kArtifactType) fields.fail("this image is not a Task Pack", "artifactType");
  ImageManifest manifest;
  manifest.config = parse_descriptor(fields.object("config"), at + ".config");
  if (manifest.config.media_type != kConfigType) fields.fail("the config is not a pack's", "config");
  const canon::Json& layers = fields.array("layers", kMaxLayers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    manifest.layers.push_back(parse_descriptor(layers[i], fmt::format("{}.layers[{}]", at, i)));
  }
  fields.ignore("annotations");
  fields.finish();
  return manifest;
}

Descriptor parse_index(std::string_view bytes, const std::string& at) {
  const canon::Json object = canon::parse_json(bytes, kInvalid, at, kMaxManifestBytes);
  canon::Fields fields(object, kInvalid, "oci", at);
  check_version(fields);
  if (const auto type = fields.maybe_text("mediaType", 256); type && *type != kIndexType) {
    fields.fail("this is not an OCI index", "mediaType");
  }
  const canon::Json& manifests = fields.array("manifests");
  if (manifests.size() != 1) {
    fields.fail(fmt::format("a pack has exactly one descriptor, here are {}", manifests.size()), "manifests");
  }
  const Descriptor manifest = parse_descriptor(manifests[0], at + ".manifests[0]");
  if (manifest.media_type != kManifestType)
    fields.fail("the descriptor is not an OCI image manifest", "manifests[0].mediaType");
  fields.ignore("annotations");
  fields.finish();
  return manifest;
}

void check_layout(std::string_view bytes, const std::string& at) {
  const canon::Json object = canon::parse_json(bytes, kInvalid, at, kMaxManifestBytes);
  canon::Fields fields(object, kInvalid, "oci", at);
  (void)fields.choice("imageLayoutVersion", {"1.0.0"});
}

}  // namespace stella::packfile
