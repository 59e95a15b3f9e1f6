// SPDX-License-Identifier: Apache-2.0
#include "appliance/image/documents.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"

namespace stella::image {
namespace {

using canon::Fields;
using canon::Json;

constexpr auto kInvalid = fault::Code::pack_invalid;
constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar";
constexpr std::size_t kMaxVariables = 256, kMaxVariable = 32768;

[[noreturn]] void refuse(const std::string& what, const std::string& at, const std::string& fix) {
  throw fault::Error(kInvalid, "image", what, at, fix);
}

Blob blob_of(Fields& fields, const std::string& at) {
  Blob blob;
  blob.digest = canon::parse_digest(fields.text("digest", 128), kInvalid, at + ".digest");
  blob.size_bytes = static_cast<std::uint64_t>(fields.integer("size", 0, static_cast<std::int64_t>(kMaxBlob)));
  return blob;
}

Layer layer_of(const Json& node, const std::string& at) {
  Fields fields(node, kInvalid, "image", at);
  Layer layer;
  static_cast<Blob&>(layer) = blob_of(fields, at);
  const std::string type = fields.text("mediaType", 256);
  if (type == kLayerType)
    layer.packing = archive::Packing::none;
  else if (type == std::string(kLayerType) + "+gzip")
    layer.packing = archive::Packing::gzip;
  else if (type == std::string(kLayerType) + "+zstd")
    layer.packing = archive::Packing::zstd;
  else
    refuse(fmt::format("a layer of type {} is not read", canon::printable(type, 100)), at,
           "Copy the image with `skopeo copy`, which writes an OCI layout with OCI layers.");
  return layer;
}

// Which of an index's images is for this machine; empty when that is not clear.
std::string digest_for_us(const Json& manifests) {
  std::string found;
  for (const Json& entry : manifests) {
    if (!entry.is_object() || !entry.contains("platform") || !entry.contains("digest")) continue;
    const Json& platform = entry["platform"];
    if (!platform.is_object() || platform.value("os", Json()) != "linux" ||
        platform.value("architecture", Json()) != machine() || !entry["digest"].is_string())
      continue;
    if (!found.empty()) return {};
    found = canon::printable(entry["digest"].get<std::string>(), 100);
  }
  return found;
}

[[noreturn]] void refuse_index(const Json& document, const std::string& at) {
  const Json& manifests = document["manifests"];
  const std::string ours = manifests.is_array() ? digest_for_us(manifests) : std::string();
  refuse("the pinned digest is that of an index, which stands for several images", at,
         ours.empty() ? "Pin the digest of one image's manifest."
                      : fmt::format("Pin the image for linux/{}: {}.", machine(), ours));
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::map<std::string, std::string> env_of(const Json& list, const std::string& at) {
  std::map<std::string, std::string> env;
  if (!list.is_array() || list.size() > kMaxVariables)
    refuse(fmt::format("`Env` is no list of at most {} variables", kMaxVariables), at, "Build the image anew.");
  for (const Json& entry : list) {
    const std::string text = entry.is_string() ? entry.get<std::string>() : std::string();
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || text.size() > kMaxVariable || text.find('\0') != std::string::npos ||
        !is_variable_name(std::string_view(text).substr(0, equals)))
      refuse(fmt::format("`Env` holds {}, which is no NAME=VALUE", canon::printable(text, 80)), at,
             "Mend the image's config.");
    env[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return env;
}

}  // namespace

std::string machine() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown";
  const std::string ours = names.machine;
  constexpr std::array<std::pair<const char*, const char*>, 5> kNames = {
      {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}, {"riscv64", "riscv64"}}};
  for (const auto& [kernel, image] : kNames)
    if (ours == kernel) return image;
  return ours;
}

Manifest parse_manifest(std::string_view bytes, const std::string& at) {
  const Json document = canon::parse_json(bytes, kInvalid, at, kMaxDocument);
  Fields fields(document, kInvalid, "image", at);
  if (fields.integer("schemaVersion", 0, 1000) != 2) fields.fail("only OCI schema version 2 is read", "schemaVersion");
  if (fields.has("manifests")) refuse_index(document, at);
  const auto type = fields.maybe_text("mediaType", 256);
  if (type && *type != "application/vnd.oci.image.manifest.v1+json")
    refuse(fmt::format("{} is no OCI image manifest", canon::printable(*type, 100)), at,
           "Copy the image with `skopeo copy`, which writes an OCI layout.");
  Fields config(fields.object("config"), kInvalid, "image", at + ".config");
  Manifest manifest;
  manifest.config = blob_of(config, at + ".config");
  if (config.text("mediaType", 256) != "application/vnd.oci.image.config.v1+json")
    refuse("the config is not that of an image", at, "Pin an image, not another artifact.");
  for (const Json& node : fields.array("layers", kMaxLayers))
    manifest.layers.push_back(layer_of(node, fmt::format("{}.layers[{}]", at, manifest.layers.size())));
  return manifest;
}

Config parse_config(std::string_view bytes, const std::string& at) {
  const Json document = canon::parse_json(bytes, kInvalid, at, kMaxDocument);
  Fields fields(document, kInvalid, "image", at);
  Config config;
  config.os = fields.text("os", 64);
  config.architecture = fields.text("architecture", 64);
  Fields rootfs(fields.object("rootfs"), kInvalid, "image", at + ".rootfs");
  (void)rootfs.choice("type", {"layers"});
  for (const Json& id : rootfs.array("diff_ids", kMaxLayers)) {
    if (!id.is_string()) rootfs.fail("each is a digest", "diff_ids");
    config.diff_ids.push_back(canon::parse_digest(id.get<std::string>(), kInvalid, at + ".rootfs.diff_ids"));
  }
  const Json* inner = fields.maybe("config");
  if (inner == nullptr || inner->is_null()) return config;
  Fields settings(*inner, kInvalid, "image", at + ".config");
  if (const Json* env = settings.maybe("Env"); env != nullptr && !env->is_null()) config.env = env_of(*env, at);
  return config;
}

}  // namespace stella::image
