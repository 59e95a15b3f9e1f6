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
  ~Cache();                                                                       // what was not kept goes away
  [[nodiscard]] const std::string& scratch() const noexcept { return scratch_; }  // private, on the cache's disk
  // Opens one .pack or layout; its blobs live as long as this object, unless they are kept.
  [[nodiscard]] packfile::Opened open(const std::string& path);
  // Moves the blobs to packs/<64 hex of the pack digest>, where others find them, and says so in `opened`.
  void keep(packfile::Opened& opened);

 private:
  std::string root_, scratch_;
};

}  // namespace stella::admission
