// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/check.hpp"

#include <set>

#include "mirror/catalog/catalog.hpp"
#include "mirror/intake/trust_root.hpp"
#include "mirror/metadata/verify.hpp"

namespace stella::intake {
namespace {

void check_metadata(const files::Home& home, const site::Policy* policy, const catalog::Catalog& catalog) {
  const std::optional<catalog::Generation> current = catalog.current();
  if (!current) return;
  const auto documents = catalog.documents();
  const auto read = [&](const std::string& name, std::uint64_t) -> std::optional<std::string> {
    const auto found = documents.find(name);
    return found == documents.end() ? std::nullopt : std::optional(found->second);
  };
  const metadata::Held held{.generation = current->number, .timestamp = current->timestamp, .roles = {}, .issued = {}};
  const clock::Time issued = clock::parse_time(current->issued, fault::Code::mirror_digest, "catalog.db");
  (void)metadata::verify_update(load_trust(home, policy).root, read, held, {.now = issued, .max_age = {}});
}

std::string check_blob(const blobs::Store& store, const blobs::Blob& blob, Depth depth) {
  if (!store.holds(blob)) return "is missing or has another size";
  if (depth == Depth::sizes) return {};
  try {
    store.stream(blob, [](std::string_view) {});
  } catch (const fault::Error& error) {
    if (error.code() != fault::Code::mirror_digest) throw;
    return "holds other bytes than its name says";
  }
  return {};
}

}  // namespace

CheckResult check_registry(const files::Home& home, const site::Policy* policy, Depth depth) {
  const catalog::Catalog catalog = catalog::Catalog::open(home);
  check_metadata(home, policy, catalog);
  const blobs::Store store(home.mirror());
  CheckResult result;
  std::set<canon::Digest> seen;
  for (catalog::Pack& pack : catalog.packs()) {
    ++result.packs;
    pack.blobs.push_back(pack.manifest);
    for (const blobs::Blob& blob : pack.blobs) {
      if (!seen.insert(blob.digest).second) continue;
      ++result.blobs;
      result.bytes += blob.size_bytes;
      const std::string what = check_blob(store, blob, depth);
      if (!what.empty()) result.findings.push_back({pack.name_version(), blob.digest.tagged(), what});
    }
  }
  return result;
}

}  // namespace stella::intake
