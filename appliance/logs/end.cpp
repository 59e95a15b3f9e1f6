// SPDX-License-Identifier: Apache-2.0
#include "appliance/logs/end.hpp"

#include "appliance/logs/chunk.hpp"
#include "bundles/files/read.hpp"

namespace stella::logs {

static_assert(kRecordHead == kHeadBytes);

Position end_of(const std::string& folder) {
  const auto chunks = chunks_in(folder);
  if (chunks.empty()) return {};
  const files::Fd fd = open_chunk(folder, chunks.back());
  return {chunks.back(), fd ? files::size_of(fd) : 0};
}

}  // namespace stella::logs
