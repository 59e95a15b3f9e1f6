// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/image/image.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::image {
namespace {

using fault::Code;
using fault::Error;

Extent need(const Layout& layout, const Blob& blob, const std::string& what) {
  const auto extent = layout.find(blob.digest);
  if (!extent)
    throw Error(Code::pack_invalid, "image", fmt::format("{} {} is missing", what, blob.digest.tagged()), layout.shown,
                "Copy the whole image into the pack, with all its layers.");
  if (extent->size_bytes != blob.size_bytes)
    throw Error(Code::pack_hash_mismatch, "image",
                fmt::format("{} {} has {} bytes, its manifest says {}", what, blob.digest.tagged(), extent->size_bytes,
                            blob.size_bytes),
                layout.shown, "Copy the image into the pack again.");
  return *extent;
}

Found read_image(const Layout& layout, const Extent& manifest, const pack::Runtime& runtime) {
  const std::string at = fmt::format("{} {}", layout.shown, runtime.digest.tagged());
  Found found;
  found.shown = layout.shown;
  found.manifest_bytes = read_document(manifest, runtime.digest, at);
  found.manifest = parse_manifest(found.manifest_bytes, at);
  const Blob& config = found.manifest.config;
  found.config_bytes = read_document(need(layout, config, "the config"), config.digest, at + ": config");
  found.config = parse_config(found.config_bytes, at + ": config");
  for (const Layer& layer : found.manifest.layers) found.layers.push_back(need(layout, layer, "the layer"));
  if (found.config.diff_ids.size() != found.layers.size())
    throw Error(
        Code::pack_invalid, "image",
        fmt::format("the config names {} layers, the manifest {}", found.config.diff_ids.size(), found.layers.size()),
        at, "Build the image anew.");
  return found;
}

// Only a help for the author: nothing of it is believed.
std::vector<std::string> digests_in_index(const Layout& layout) {
  std::vector<std::string> digests;
  try {
    const auto extent = layout.index();
    if (!extent || extent->size_bytes > kMaxDocument) return {};
    std::string bytes;
    const auto source = source_of(*extent);
    for (auto piece = source(); !piece.empty(); piece = source()) bytes.append(piece);
    const canon::Json document = canon::parse_json(bytes, Code::pack_invalid, layout.shown);
    for (const canon::Json& entry : document.at("manifests"))
      if (digests.size() < 5) digests.push_back(canon::printable(entry.at("digest").get<std::string>(), 100));
  } catch (const std::exception&) {
    return {};
  }
  return digests;
}

[[noreturn]] void not_found(const pack::Runtime& runtime, const std::vector<Layout>& layouts) {
  for (const Layout& layout : layouts) {
    const auto there = digests_in_index(layout);
    if (there.empty()) continue;
    throw Error(
        Code::pack_not_found, "image",
        fmt::format("{} does not hold {}; it holds {}", layout.shown, runtime.digest.tagged(), fmt::join(there, ", ")),
        "spec.runtime", "Pin the digest of the image that is meant, or put that image there.");
  }
  throw Error(Code::pack_not_found, "image",
              fmt::format("the image {} is neither in the pack (images/{}/ or images/{}.tar) nor in the registry",
                          runtime.text(), runtime.name, runtime.name),
              "spec.runtime", "Put it into the pack as an OCI layout; docs/runtime-images.md shows how.");
}

}  // namespace

Found find(const pack::Runtime& runtime, const std::vector<Layout>& layouts) {
  for (const Layout& layout : layouts)
    if (const auto manifest = layout.find(runtime.digest)) return read_image(layout, *manifest, runtime);
  not_found(runtime, layouts);
}

std::vector<pack::Problem> check_layouts(const pack::Runtime& runtime, const std::vector<Layout>& layouts) {
  if (layouts.empty()) return {};
  try {
    (void)find(runtime, layouts);
  } catch (const Error& error) {
    return {{error.at(), fmt::format("{}. {}", error.what(), error.fix()), error.reason()}};
  }
  return {};
}

void require_present(const pack::Runtime& runtime, const packfile::Opened& pack, const files::Home& home) {
  std::vector<Layout> layouts = layouts_in_pack(pack, runtime.name);
  layouts.push_back(layout_of_registry(home));
  (void)find(runtime, layouts);
}

}  // namespace stella::image
