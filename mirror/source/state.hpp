// SPDX-License-Identifier: Apache-2.0
// The outside half's own folder: DIR/source.json (state, replaced atomically), metadata/, keys/ (0700), blobs/, lock.
// One writer (flock); any thread for reading.
//
// source.json: {"schema": "stella.mirror-source.v1", "name", "generation", "issued": time or null, "changed": bool,
// "roles": {ROLE: {"file", "key": PUBLIC-KEY}}, "packs": [...]}. `changed`: something was added since the generation.
// Errors: ERR_FILE_NOT_FOUND reason source, ERR_MIRROR_MALFORMED, ERR_MIRROR_BUSY.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/clock/time.hpp"
#include "bundles/files/fd.hpp"
#include "bundles/trust/key.hpp"
#include "mirror/blobs/store.hpp"
#include "mirror/catalog/catalog.hpp"

namespace stella::source {

inline constexpr const char* kDefaultChannel = "stable";

struct RoleKey {
  std::string file;  // as given, or under DIR: keys/targets.key
  trust::PublicKey key;
};
struct State {
  std::string name;
  std::int64_t generation = 0;
  std::optional<clock::Time> issued;
  bool changed = true;
  std::map<std::string, RoleKey> roles;  // targets, snapshot, timestamp and every channel
  std::vector<catalog::Pack> packs;      // by name, then version
};

class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)), store_(path_) {}
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const blobs::Store& store() const noexcept { return store_; }
  [[nodiscard]] std::string metadata() const { return path_ + "/metadata"; }
  [[nodiscard]] std::string keys() const { return path_ + "/keys"; }
  [[nodiscard]] bool has_state() const;
  [[nodiscard]] State load() const;
  void save(const State& state) const;
  [[nodiscard]] files::Fd lock() const;

 private:
  std::string path_;
  blobs::Store store_;
};

}  // namespace stella::source
