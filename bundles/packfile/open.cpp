// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/packfile/blobs.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/config.hpp"

namespace stella::packfile {
namespace {

constexpr auto kInvalid = fault::Code::pack_invalid;
constexpr std::uint64_t kTarOverhead = std::uint64_t{64} << 20;  // headers and padding around kMaxPackBytes
constexpr std::string_view kBlobPrefix = "blobs/sha256/";

[[noreturn]] void fail(const char* reason, const std::string& what, const std::string& at) {
  throw fault::Error(kInvalid, reason, what, at);
}

// What stands around the blobs, read before anything is believed.
struct Frame {
  std::optional<std::string> layout, index;
  std::set<canon::Digest> blobs;
};

std::string read_small(archive::MemberReader& content, const archive::Member& member, const std::string& at) {
  if (member.size_bytes > kMaxManifestBytes) fail("size", member.path + " has more than 4 MiB", at);
  std::string bytes;
  for (auto piece = content.next(); !piece.empty(); piece = content.next()) bytes.append(piece);
  return bytes;
}

// Members may come in any order: blobs go to the private folder as they come.
Frame read_layout_tar(const files::Fd& file, const std::string& path, const BlobFolder& blobs) {
  Frame frame;
  const auto visit = [&](const archive::Member& member, archive::MemberReader& content) {
    if (member.type == archive::Type::folder) {
      if (member.path != "blobs" && member.path != "blobs/sha256")
        fail("oci", "a pack holds no folder " + member.path, path);
      return;
    }
    if (member.path == "oci-layout") {
      frame.layout = read_small(content, member, path);
    } else if (member.path == "index.json") {
      frame.index = read_small(content, member, path);
    } else if (member.path.starts_with(kBlobPrefix)) {
      const canon::Digest digest = canon::parse_hex_digest(member.path.substr(kBlobPrefix.size()), kInvalid, path);
      BlobFolder::Writer blob = blobs.begin(member.path);
      for (auto piece = content.next(); !piece.empty(); piece = content.next()) blob.write(piece);
      blob.finish({}, &digest);
      frame.blobs.insert(digest);
    } else {
      fail("oci", "a pack holds no " + canon::printable(member.path, 200), path);
    }
  };
  archive::read_tar(archive::file_source(file, path), {kInvalid, path}, {kMaxPackBytes + kTarOverhead, kMaxLayers + 10},
                    visit);
  return frame;
}

// A layout folder, as skopeo writes it. Only what the one manifest names is taken.
Frame read_layout_folder(const std::string& path, const BlobFolder& blobs) {
  const files::Fd root = files::open_folder(path);
  Frame frame;
  const auto exists = [&](const char* name) {
    struct stat info {};
    return ::fstatat(root.get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0;
  };
  if (!exists("oci-layout") || !exists("index.json")) fail("oci", "the folder is not an OCI image layout", path);
  frame.layout = files::read_input_beneath(root, "oci-layout", {kMaxManifestBytes});
  frame.index = files::read_input_beneath(root, "index.json", {kMaxManifestBytes});
  std::uint64_t total = 0;
  const auto take = [&](const Descriptor& blob) {
    total += blob.size_bytes;
    if (total > kMaxPackBytes + kTarOverhead) fail("size", "the pack has more than 8 GiB", path);
    const std::string name = std::string(kBlobPrefix) + blob.digest.hex();
    const files::Fd file = files::open_beneath(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) fail("oci", name + " is not a plain file", path);
    BlobFolder::Writer out = blobs.begin(name);
    files::stream_input(file, name, blob.size_bytes, [&](std::string_view bytes) { out.write(bytes); });
    out.finish(blob.media_type, &blob.digest);
    frame.blobs.insert(blob.digest);
  };
  const Descriptor manifest = parse_index(*frame.index, path + "/index.json");
  take(manifest);
  const ImageManifest image = parse_manifest(blobs.read(manifest, kMaxManifestBytes, "manifest"), path);
  take(image.config);
  for (const Descriptor& layer : image.layers) take(layer);
  return frame;
}

// The content layers are those of the config, in its order; after them come signatures, and nothing else.
void read_layers(Opened& pack, const ImageManifest& manifest, const BlobFolder& blobs, const std::string& path) {
  std::set<canon::Digest> seen{pack.manifest_digest, pack.digest};
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    const std::string shown = fmt::format("layer {}", i + 1);
    if (!seen.insert(layer.digest).second) fail("layer", shown + " stands in the manifest twice", path);
    if (i < pack.layers.size()) {
      if (layer.media_type != kLayerType || layer.digest != pack.layers[i]) {
        fail("layer", shown + " is not the one that the pack's config lists", path);
      }
      if (!blobs.has(layer.digest)) fail("oci", shown + " is not in the pack", path);
    } else if (layer.media_type == kSignatureType) {
      if (pack.signatures.size() == kMaxSignatures) fail("size", "the pack has more than 64 signatures", path);
      pack.signatures.push_back(
          dsse::parse(blobs.read(layer, kMaxSignatureBytes, shown), kInvalid, path + ": " + shown));
    } else {
      fail("layer", shown + " is neither listed in the pack's config nor a signature", path);
    }
  }
  if (manifest.layers.size() < pack.layers.size())
    fail("layer", "the manifest lacks layers that the config lists", path);
}

void refuse_strangers(const Frame& frame, const Opened& pack, const ImageManifest& manifest, const std::string& path) {
  std::set<canon::Digest> named{pack.manifest_digest, pack.digest};
  for (const Descriptor& layer : manifest.layers) named.insert(layer.digest);
  for (const canon::Digest& blob : frame.blobs) {
    if (!named.contains(blob)) fail("layer", "the blob " + blob.tagged() + " belongs to nothing in the manifest", path);
  }
}

Opened read_documents(const Frame& frame, const std::string& folder, const BlobFolder& blobs, const std::string& path) {
  if (!frame.layout) fail("oci", "the pack has no oci-layout", path);
  if (!frame.index) fail("oci", "the pack has no index.json", path);
  check_layout(*frame.layout, path + ": oci-layout");
  const Descriptor self = parse_index(*frame.index, path + ": index.json");
  Opened pack;
  pack.blobs = folder;
  pack.manifest_digest = self.digest;
  pack.manifest_bytes = blobs.read(self, kMaxManifestBytes, "manifest");
  const ImageManifest manifest = parse_manifest(pack.manifest_bytes, path + ": manifest");
  pack.digest = manifest.config.digest;
  pack.config_bytes = blobs.read(manifest.config, kMaxManifestBytes, "config");
  Config config = parse_config(pack.config_bytes, path + ": config");
  pack.name = std::move(config.name);
  pack.version = std::move(config.version);
  pack.files = std::move(config.files);
  pack.layers = std::move(config.layers);
  read_layers(pack, manifest, blobs, path);
  refuse_strangers(frame, pack, manifest, path);
  return pack;
}

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

void refuse_compressed(const std::string& path) {
  if (!path.ends_with(".zst")) return;
  throw fault::Error(kInvalid, "zst", "compressed packs (`.pack.zst`) are not read by this version", path,
                     "Unpack it with `zstd -d` first, or ask for the plain `.pack`.");
}

}  // namespace

Opened open(const std::string& path, const std::string& blobs) {
  refuse_compressed(path);
  if (is_folder(path)) {
    const BlobFolder folder(blobs);
    return read_documents(read_layout_folder(path, folder), blobs, folder, path);
  }
  const files::Fd file = files::open_input(path, {kMaxPackBytes + 2 * kTarOverhead});
  const BlobFolder folder(blobs);
  return read_documents(read_layout_tar(file, path, folder), blobs, folder, path);
}

}  // namespace stella::packfile
