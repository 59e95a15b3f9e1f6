// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/catalog/manifest.hpp"

namespace stella::catalog {
namespace {

constexpr std::uint64_t kMaxDerived = std::uint64_t{64} << 20;

void write_when_different(const std::string& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) == 0) {
    const files::InputRule rule{.max_bytes = kMaxDerived, .empty = files::Empty::allow, .links = files::Links::refuse};
    if (files::read_input(path, rule) == text) return;
  }
  files::write_atomically(path, text, 0644);
}

}  // namespace

void write_derived(const files::Home& home, const Catalog& catalog) {
  const std::string folder = home.mirror() + "/metadata";
  files::make_folders(folder);
  const std::map<std::string, std::string> documents = catalog.documents();
  for (const auto& [name, text] : documents) write_when_different(folder + "/" + name, text);
  for (const files::Entry& entry : files::list_tree(folder)) {
    if (!documents.contains(entry.path)) files::remove_tree(folder + "/" + entry.path);
  }
  std::vector<Tagged> tagged;
  for (const Pack& pack : catalog.packs()) tagged.push_back({pack.name_version(), pack.manifest});
  write_when_different(home.mirror() + "/index.json", write_index_json(tagged));
}

}  // namespace stella::catalog
