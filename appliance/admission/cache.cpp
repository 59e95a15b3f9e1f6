// SPDX-License-Identifier: Apache-2.0
#include "appliance/admission/cache.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "bundles/canon/digest.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

namespace stella::admission {
namespace {

// Whether the folder has the same blobs as the fresh one, each still the bytes of its name: somebody else's copy is
// kept then, because that process may be reading it.
bool is_whole(const std::string& folder, const std::string& fresh) {
  try {
    for (const files::Entry& entry : files::list_tree(fresh)) {
      const std::string path = folder + "/" + entry.path;
      canon::Sha256 hasher;
      const files::Fd file = files::open_input(
          path, {.max_bytes = packfile::kMaxPackBytes, .empty = files::Empty::allow, .links = files::Links::refuse});
      files::stream_input(file, path, packfile::kMaxPackBytes, [&](std::string_view block) { hasher.update(block); });
      if (hasher.finish().hex() != entry.path) return false;
    }
  } catch (const fault::Error&) {
    return false;
  }
  return true;
}

}  // namespace

Cache::Cache(const files::Home& home) : root_(home.packs()), scratch_(root_ + "/.opening-" + canon::random_hex(8)) {
  files::make_folders(scratch_);
}

Cache::~Cache() {
  try {
    files::remove_tree(scratch_);
  } catch (const fault::Error&) {  // left over: the next cleaning of packs/ takes it, nothing reads it
  }
}

packfile::Opened Cache::open(const std::string& path) {
  return packfile::open(path, scratch_ + "/blobs");
}

void Cache::keep(packfile::Opened& opened) {
  const std::string fresh = opened.blobs;
  const std::string place = root_ + "/" + opened.digest.hex();
  opened.blobs = place;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (std::rename(fresh.c_str(), place.c_str()) == 0) return;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
      throw fault::system_error(errno, "moving into the cache", place);
    if (is_whole(place, fresh)) return;
    files::remove_tree(place);  // damaged: put ours there
  }
  throw fault::Error(fault::Code::internal, "cache", "the pack cache changes while it is used", place);
}

}  // namespace stella::admission
