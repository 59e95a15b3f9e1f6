// SPDX-License-Identifier: Apache-2.0
// Paths that a person names, where this process has other rights than they have: a service opens none of them. Such a
// path is written `operator:/ABSOLUTE/PATH`; open_input, read_input and write_atomically hand it to a bearer, which
// brings the open file from that person's own process. Whatever else is done with it finds no such file.
#pragma once

#include <string>
#include <string_view>

#include "bundles/files/fd.hpp"
#include "bundles/files/write.hpp"

namespace stella::files {

class Bearer {
 public:
  virtual ~Bearer() = default;
  // Open for reading; throws as open_input does. Nothing is known about its kind.
  virtual Fd open(const std::string& path) = 0;
  // The same beneath a folder that was named: as open_beneath opens it.
  virtual Fd open_beneath(const std::string& folder, const std::string& relative) = 0;
  virtual void write(const std::string& path, std::string_view bytes, unsigned mode, Replace replace) = 0;
  virtual bool is_folder(const std::string& path) = 0;
};

// Once, before any other thread; `folder` is that person's current one. Without it named() changes nothing.
void set_bearer(Bearer* bearer, std::string folder);

// The path as the functions above must get it when a person wrote it: `operator:` before it, after it was made absolute
// by their current folder, where there is a bearer; else the path itself. `-` and what is named already stay.
[[nodiscard]] std::string named(const std::string& path);
// The bearer of a path that is named, nullptr for one's own; `plain` is the path as that person knows it.
[[nodiscard]] Bearer* bearer_of(const std::string& path);
[[nodiscard]] std::string plain(const std::string& path);
[[nodiscard]] bool is_folder(const std::string& path);

}  // namespace stella::files
