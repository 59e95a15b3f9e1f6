// SPDX-License-Identifier: Apache-2.0
#include "mirror/catalog/export.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/archive/tar.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"
#include "mirror/catalog/manifest.hpp"

namespace stella::catalog {
namespace {

fault::Error not_found(const std::string& name_version, const std::vector<Pack>& packs, const std::string& tenant) {
  std::vector<std::string> names;
  for (const Pack& pack : packs) {
    if (pack.is_for(tenant)) names.push_back(pack.name_version());
  }
  const auto close = canon::nearest(name_version, names);
  return fault::Error(fault::Code::pack_not_found, "missing",
                      fmt::format("{} is not in this home's registry for tenant {}{}", canon::printable(name_version),
                                  tenant, close ? ", did you mean " + *close + "?" : ""),
                      canon::printable(name_version));
}

}  // namespace

Pack need_pack(const files::Home& home, const std::string& name_version, const std::string& tenant) {
  if (!Catalog::exists(home)) throw not_found(name_version, {}, tenant);
  const Catalog catalog = Catalog::open(home);
  const std::optional<Pack> pack = catalog.find(name_version);
  if (!pack || !pack->is_for(tenant)) throw not_found(name_version, catalog.packs(), tenant);
  return *pack;
}

Pack export_pack(const files::Home& home, const std::string& name_version, const std::string& tenant,
                 const std::string& out_pack_file) {
  Pack pack = need_pack(home, name_version, tenant);
  const blobs::Store store(home.mirror());
  std::vector<blobs::Blob> all = pack.blobs;
  all.push_back(pack.manifest);
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());

  files::AtomicFile file(out_pack_file, 0600);
  archive::TarWriter tar([&](std::string_view bytes) { file.write(bytes); });
  tar.file("oci-layout", 0644, R"({"imageLayoutVersion":"1.0.0"})");
  tar.file("index.json", 0644, write_index_json({{pack.name_version(), pack.manifest}}));
  tar.folder("blobs", 0755);
  tar.folder("blobs/sha256", 0755);
  for (const blobs::Blob& blob : all) {
    tar.begin_file("blobs/sha256/" + blob.digest.hex(), 0644, blob.size_bytes);
    store.stream(blob, [&](std::string_view block) { tar.write(block); });
  }
  tar.finish();
  file.commit();
  return pack;
}

}  // namespace stella::catalog
