// SPDX-License-Identifier: Apache-2.0
// Which names of an archive can stand side by side on any file system. One thread per set.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "bundles/archive/tar.hpp"

namespace stella::archive {

// The name as a file system that folds case and composes characters sees it. Takes a path that check_path accepts.
[[nodiscard]] std::string folded(const std::string& path);
// False when a character of valid UTF-8 `path` is not in composed form (NFC).
[[nodiscard]] bool is_composed(const std::string& path);

class NameSet {
 public:
  explicit NameSet(const Codes& codes) : codes_(codes) {}
  // Throws reasons duplicate, collision, size (names of more than 64 MiB together).
  void add(const std::string& path, Type type);

 private:
  enum class Kind { file, folder, implied };
  struct Known {
    std::string path;
    Kind kind;
  };
  void add_parents(const std::string& path);
  void insert(std::string key, const std::string& path, Kind kind);
  [[noreturn]] void fail(const char* reason, const std::string& what, const std::string& path) const;

  Codes codes_;
  std::unordered_map<std::string, Known> known_;  // by folded path
  std::uint64_t bytes_ = 0;
};

}  // namespace stella::archive
