// SPDX-License-Identifier: Apache-2.0
// The tar of an OCI image layer, as other tools write them: packed or not, with links, whiteouts and devices. Says what
// is in it; what becomes of an entry is the caller's to decide. libarchive, one thread.
// Source: OCI image-spec 1.1 layer.md; its whiteouts are plain names here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bundles/archive/tar.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::archive {

enum class Packing { none, gzip, zstd };

// The bytes that `source` gives, unpacked. More than 64 MiB and 200 times what was packed throws reason ratio, more
// than max_bytes reason size, packed bytes that end early or are no such packing reason truncated or tar. `source`
// must outlive the result.
[[nodiscard]] std::function<std::string_view()> unpacking(const std::function<std::string_view()>& source,
                                                          Packing packing, const Codes& codes, std::uint64_t max_bytes);

enum class LayerKind { file, folder, symbolic_link, hard_link, other };  // other: device, FIFO
struct LayerEntry {
  std::string path;  // relative, no empty part, `.` or `..`, UTF-8 without control characters; empty: the root itself
  LayerKind kind;
  unsigned mode;  // permission bits alone
  std::uint64_t size_bytes;
  std::int64_t modified;  // seconds since 1970
  std::string target;     // of a symbolic link as it stands; of a hard link a path as above
};

struct LayerLimits {
  std::uint64_t max_bytes;  // of the unpacked tar
  std::size_t max_entries;
};

// Calls `visit` for each entry in order and gives the digest of the whole unpacked tar (the image's `diff_id`). Owners,
// times of access, extended attributes and set-id bits are dropped. Throws reasons path, link, tar, truncated, size,
// ratio. Nothing is proven before it returns and the digest was compared.
[[nodiscard]] canon::Digest read_layer(const std::function<std::string_view()>& source, Packing packing,
                                       const Codes& codes, LayerLimits limits,
                                       const std::function<void(const LayerEntry&, MemberReader&)>& visit);

}  // namespace stella::archive
