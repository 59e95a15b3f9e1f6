// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/stamp.hpp"

#include <sys/stat.h>

namespace stella::files {

std::string stamp_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return "none";
  std::string text = std::to_string(found.st_ino);
  for (const long long part : {static_cast<long long>(found.st_size), static_cast<long long>(found.st_mtim.tv_sec),
                               static_cast<long long>(found.st_mtim.tv_nsec)})
    text += '/' + std::to_string(part);
  return text;
}

}  // namespace stella::files
