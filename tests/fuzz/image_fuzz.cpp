// SPDX-License-Identifier: Apache-2.0
// Runtime images: the first byte says what the rest is. Layers of any make add up to a tree that stays beneath its
// root.
#include "appliance/image/unpacking.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

void require_tree(const image::Tree& tree) {
  for (const auto& [path, node] : tree.nodes()) {
    fuzz::require(!path.empty() && path.front() != '/' && path.back() != '/');
    fuzz::require(("/" + path + "/").find("/../") == std::string::npos);
    fuzz::require(("/" + path + "/").find("//") == std::string::npos);
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) continue;
    const auto parent = tree.nodes().find(path.substr(0, slash));
    fuzz::require(parent != tree.nodes().end() && parent->second.kind == image::Kind::folder);
  }
}

void layers(std::string_view bytes, archive::Packing packing) {
  image::Tree tree("fuzz");
  std::size_t files = 0;
  const auto keep = [&](const archive::LayerEntry&, archive::MemberReader& content) {
    while (!content.next().empty()) continue;
    return files++;
  };
  fuzz::refusing_is_fine([&] {
    for (int times = 0; times < 2; ++times)  // a layer over itself: whiteouts find something
      (void)image::apply_layer(tree, archive::text_source(bytes, 4096), packing, {1 << 22, 1000}, "fuzz", keep);
  });
  require_tree(tree);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'm':
      fuzz::refusing_is_fine([&] { (void)image::parse_manifest(bytes, "fuzz"); });
      break;
    case 'c':
      fuzz::refusing_is_fine([&] { (void)image::parse_config(bytes, "fuzz"); });
      break;
    case 'g':
      layers(bytes, archive::Packing::gzip);
      break;
    case 'z':
      layers(bytes, archive::Packing::zstd);
      break;
    default:
      layers(bytes, archive::Packing::none);
  }
  return 0;
}
