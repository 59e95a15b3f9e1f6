// SPDX-License-Identifier: Apache-2.0
// Packs: the first byte chooses what the rest is, `t` a whole .pack, `c` a config, `m` an OCI manifest, `i` an index,
// `g` a .packignore. A pack that opens has digests that hold, and is written back to one that opens as the same pack.
#include <sys/mman.h>
#include <unistd.h>

#include "bundles/files/fd.hpp"
#include "bundles/files/write.hpp"
#include "bundles/packfile/blobs.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/config.hpp"
#include "bundles/packfile/ignore.hpp"
#include "bundles/packfile/oci.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

void open_pack(std::string_view bytes) {
  const packfile::TemporaryFolder spool("/tmp");
  const files::Fd file(::memfd_create("fuzz.pack", MFD_CLOEXEC));
  files::write_all(file.get(), bytes, "fuzz.pack");
  const packfile::Opened pack = packfile::open("/proc/self/fd/" + std::to_string(file.get()), spool.path() + "/a");
  fuzz::require(canon::sha256(pack.config_bytes) == pack.digest);
  const std::string copy = spool.path() + "/copy.pack";
  packfile::write_pack(pack, copy);
  const packfile::Opened again = packfile::open(copy, spool.path() + "/b");
  fuzz::require(again.digest == pack.digest && again.manifest_digest == pack.manifest_digest);
  packfile::unpack(pack, spool.path() + "/tree");
}

void read_document(char kind, std::string_view bytes) {
  switch (kind) {
    case 't':
      return open_pack(bytes);
    case 'c': {
      const packfile::Config config = packfile::parse_config(bytes, "fuzz");
      fuzz::require(packfile::write_config(config) == bytes);
      return;
    }
    case 'm':
      (void)packfile::parse_manifest(bytes, "fuzz");
      return;
    case 'i':
      (void)packfile::parse_index(bytes, "fuzz");
      return;
    case 'g':
      (void)packfile::IgnoreRules::parse(bytes).leaves_out("steps/check.sh", false);
      return;
    default:
      return;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refusing_is_fine([&] { read_document(text.front(), text.substr(1)); });
  return 0;
}
