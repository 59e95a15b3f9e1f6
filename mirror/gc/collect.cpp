// SPDX-License-Identifier: Apache-2.0
#include "mirror/gc/collect.hpp"

#include <set>

#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "mirror/blobs/store.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/catalog/lock.hpp"

namespace stella::gc {
namespace {

constexpr std::size_t kKeptGenerations = 2;

std::int64_t oldest_kept(const catalog::Catalog& catalog) {
  const std::vector<std::int64_t> generations = catalog.generations();
  if (generations.empty()) return 0;
  return generations[std::min(generations.size(), kKeptGenerations) - 1];
}

}  // namespace

Collected collect(const files::Home& home, Mode mode) {
  const files::Fd lock = catalog::lock_registry(home);
  const catalog::Catalog catalog = catalog::Catalog::open(home);
  const blobs::Store store(home.mirror());
  const std::int64_t oldest = oldest_kept(catalog);
  Collected collected;
  std::set<canon::Digest> needed;
  std::vector<catalog::Pack> dropped;
  for (const catalog::Pack& pack : catalog.packs()) {
    if (pack.generation < oldest && !catalog.is_promoted(pack)) {
      collected.packs.push_back(pack.name_version());
      dropped.push_back(pack);
      continue;
    }
    needed.insert(pack.manifest.digest);
    for (const blobs::Blob& blob : pack.blobs) needed.insert(blob.digest);
  }
  const std::vector<files::Entry> staged = files::list_tree(store.folder() + "/staging");
  collected.staged = staged.size();
  if (mode == Mode::sweep) {
    for (const catalog::Pack& pack : dropped) catalog.forget(pack);
    catalog::write_derived(home, catalog);
    for (const files::Entry& entry : staged) files::remove_tree(store.folder() + "/staging/" + entry.path);
  }
  for (const blobs::Blob& blob : store.list()) {
    if (needed.contains(blob.digest)) continue;
    ++collected.blobs;
    collected.bytes += blob.size_bytes;
    if (mode == Mode::sweep) store.remove(blob.digest);
  }
  return collected;
}

}  // namespace stella::gc
