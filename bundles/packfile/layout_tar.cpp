// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/layout_tar.hpp"

#include "bundles/archive/tar.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/bundle.hpp"

namespace stella::packfile {

std::uint64_t write_layout_tar(const BlobFolder& blobs, const std::string& manifest_bytes,
                               const std::string& name_version, const std::string& out) {
  const ImageManifest manifest = parse_manifest(manifest_bytes, "manifest");
  const Descriptor self{std::string(kManifestType), canon::sha256(manifest_bytes), manifest_bytes.size()};
  files::AtomicFile file(out, 0644);
  std::uint64_t size_bytes = 0;
  archive::TarWriter tar([&](std::string_view bytes) {
    size_bytes += bytes.size();
    file.write(bytes);
  });
  const auto add_blob = [&](const Descriptor& blob) {
    tar.begin_file("blobs/sha256/" + blob.digest.hex(), 0644, blob.size_bytes);
    blobs.stream(blob, [&](std::string_view bytes) { tar.write(bytes); });
  };
  tar.file("oci-layout", 0644, write_layout());
  tar.file("index.json", 0644, write_index(self, name_version));
  tar.file("blobs/sha256/" + self.digest.hex(), 0644, manifest_bytes);
  add_blob(manifest.config);
  for (const Descriptor& layer : manifest.layers) add_blob(layer);
  tar.finish();
  files::crash_point("pack.write");
  file.commit();
  return size_bytes;
}

void write_pack(const Opened& pack, const std::string& out) {
  write_layout_tar(BlobFolder(pack.blobs), pack.manifest_bytes, pack.name_version(), out);
}

}  // namespace stella::packfile
