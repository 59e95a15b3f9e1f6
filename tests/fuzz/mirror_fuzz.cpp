// SPDX-License-Identifier: Apache-2.0
// What a mirror bundle's files are read with: TUF documents of each role, the index of the volumes, OCI manifests. What
// is let in is written back to the same meaning, and nothing counts as signed by a key that did not sign.
#include "mirror/catalog/manifest.hpp"
#include "mirror/metadata/document.hpp"
#include "mirror/metadata/role.hpp"
#include "mirror/volumes/volume.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

template <class Role>
void read_twice(const canon::Json& part, Role (*parse)(const canon::Json&, const std::string&)) {
  fuzz::refusing_is_fine([&] {
    const canon::Json first = metadata::to_json(parse(part, "fuzz"));
    fuzz::require(metadata::to_json(parse(first, "again")) == first);
  });
}

void read_document(std::string_view text) {
  const metadata::Document document = metadata::parse_document(std::string(text), "fuzz", 1U << 20);
  fuzz::require(canon::canonical(document.part) == document.canonical);
  static const trust::PublicKey key = trust::PrivateKey::generate().public_key();
  const std::string id = metadata::key_id(key);
  fuzz::require(metadata::count_signers(document, {1, {id}}, {{id, key}}) == 0);
  read_twice(document.part, metadata::parse_root);
  read_twice(document.part, metadata::parse_timestamp);
  read_twice(document.part, metadata::parse_snapshot);
  read_twice(document.part, metadata::parse_targets);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] { read_document(text); });
  fuzz::refusing_is_fine([&] {
    const std::string once = volumes::write_index(volumes::parse_index(text));
    fuzz::require(volumes::write_index(volumes::parse_index(once)) == once);
  });
  fuzz::refusing_is_fine([&] { (void)catalog::parse_manifest(text, "fuzz"); });
  return 0;
}
