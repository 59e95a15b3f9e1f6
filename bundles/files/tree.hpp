// SPDX-License-Identifier: Apache-2.0
// Walking a folder without following links, and the listing that the formats hash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundles/files/fd.hpp"

namespace stella::files {

enum class Kind { file, folder, link, other };

struct Entry {
  std::string path;  // relative, `/` between parts
  Kind kind;
  unsigned mode;  // permission bits
  std::uint64_t size_bytes;
  std::string link_target;
};

// Every entry beneath `root`, sorted bytewise by path. More than `max_entries` is ERR_FILE_UNSUITABLE, reason
// `entries`. A missing root gives an empty list.
[[nodiscard]] std::vector<Entry> list_tree(const std::string& root, std::size_t max_entries = 1000000);

// Of a tree that a hostile step made: what cannot be listed is named instead of refused.
struct Listing {
  std::vector<Entry> entries;
  std::vector<std::string> unlisted;  // folders nested too deep or closed to us (they are in `entries`, what is in them
                                      // is not); entries beyond `max_entries` as the one that was first
};
[[nodiscard]] Listing list_hostile_tree(const std::string& root, std::size_t max_entries = 1000000);

}  // namespace stella::files
