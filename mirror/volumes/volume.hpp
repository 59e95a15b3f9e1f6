// SPDX-License-Identifier: Apache-2.0
// How blobs lie on a medium: data/index.jsonl, a signed list with a row for each, and data/0001.tar ..., plain tars
// that `tar -t` reads and whose bytes are a pure function of the index and the blobs. So no byte of a volume is
// unsigned.
//
// Row: {"codec": "raw", "digest": sha256:HEX, "offset": int, "size": int, "stored": int, "volume": int}, RFC 8785, one
// a line. offset is where the stored bytes begin in the volume, stored their number. Rows lie in the order of volume
// and offset, without gaps. Member: blobs/sha256/<hex>, ustar, mode 0644, mtime 0, uid and gid 0. Codecs other than raw
// come with delta bundles and are refused by name. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mirror/blobs/store.hpp"

namespace stella::volumes {

struct Row {
  blobs::Blob blob;
  int volume = 1;
  std::uint64_t offset = 0;
};

inline constexpr std::uint64_t kBlock = 512;
inline constexpr std::uint64_t kMaxVolume = 4'180'000'000;  // bytes; under 3.9 GiB, for vfat's 4 GiB - 1
inline constexpr std::uint64_t kMaxIndex = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kTail = 2 * kBlock;  // zeros at the end of a tar
inline constexpr const char* kIndexName = "data/index.jsonl";

// Gives each blob its place, in this order. ERR_FILE_UNSUITABLE reason size for a blob that fits no volume.
[[nodiscard]] std::vector<Row> lay_out(const std::vector<blobs::Blob>& blobs);
[[nodiscard]] std::string write_index(const std::vector<Row>& rows);
// ERR_MIRROR_MALFORMED reason json or index for anything that lay_out and write_index would not have made.
[[nodiscard]] std::vector<Row> parse_index(std::string_view text);

[[nodiscard]] std::string volume_name(int volume);                 // data/0001.tar
[[nodiscard]] std::string member_header(const blobs::Blob& blob);  // 512 bytes
[[nodiscard]] std::uint64_t padding_after(std::uint64_t size_bytes);
// The bytes of volume `volume` from the rows of an index.
[[nodiscard]] std::uint64_t volume_bytes(const std::vector<Row>& rows, int volume);

// bundle.json: {"schema", "kind": "full", "source", "generation", "base": null, "volumes", "bytes"}. It is not signed
// and decides nothing; a reader computes it again from what is signed and refuses another one.
[[nodiscard]] std::string write_hint(const std::string& source, std::int64_t generation, const std::vector<Row>& rows);

}  // namespace stella::volumes
