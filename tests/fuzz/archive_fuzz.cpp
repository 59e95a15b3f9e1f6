// SPDX-License-Identifier: Apache-2.0
// Guarded tar: what is let in stays beneath a folder, and the content lies where the member says.
#include <set>

#include "bundles/archive/tar.hpp"
#include "tests/fuzz/entry.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stella;
  const std::string_view bytes = fuzz::text_of(data, size);
  const archive::Codes codes{fault::Code::mirror_malformed, "fuzz.tar"};
  std::set<std::string> seen;
  fuzz::refusing_is_fine([&] {
    archive::read_tar(archive::text_source(bytes, 4096), codes, {1 << 20, 1000},
                      [&](const archive::Member& member, archive::MemberReader& content) {
                        archive::check_path(member.path, codes);
                        fuzz::require(seen.insert(member.path).second);
                        fuzz::require((member.mode & ~0777U) == 0);
                        std::string data_read;
                        for (auto piece = content.next(); !piece.empty(); piece = content.next()) data_read += piece;
                        fuzz::require(data_read == bytes.substr(member.offset, member.size_bytes));
                      });
  });
  return 0;
}
