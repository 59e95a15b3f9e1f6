// SPDX-License-Identifier: Apache-2.0
// The home's packs/ folder: the blobs of opened packs, each pack under its digest. Nothing in it is believed: readers
// check digests again. Several processes may use one home. One thread per Cache.
#pragma once

#include <string>

#include "bundles/files/home.hpp"
#include "bundles/packfile/bundle.hpp"

namespace stella::admission {

class Cache {
 public:
  explicit Cache(const files::Home& home);
  Cache(Cache&&) = delete;
  ~Cache();                                                                       // what was not taken over goes away
  [[nodiscard]] const std::string& scratch() const noexcept { return scratch_; }  // private, on the cache's disk
  // Opens a .pack or layout and leaves its blobs at packs/<64 hex of the pack digest>.
  [[nodiscard]] packfile::Opened take(const std::string& path);

 private:
  std::string root_, scratch_;
};

}  // namespace stella::admission
