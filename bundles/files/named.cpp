// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/named.hpp"

#include <sys/stat.h>

#include <utility>

namespace stella::files {
namespace {

constexpr std::string_view kMark = "operator:";

struct Person {
  Bearer* bearer = nullptr;
  std::string folder;
};
Person& person() {
  static Person one;
  return one;
}

}  // namespace

void set_bearer(Bearer* bearer, std::string folder) {
  person() = {bearer, std::move(folder)};
}

std::string named(const std::string& path) {
  if (person().bearer == nullptr || path == "-" || path.starts_with(kMark)) return path;
  if (path.starts_with('/')) return std::string(kMark) + path;
  return std::string(kMark) + person().folder + "/" + path;
}

Bearer* bearer_of(const std::string& path) {
  return path.starts_with(kMark) ? person().bearer : nullptr;
}

std::string plain(const std::string& path) {
  return bearer_of(path) == nullptr ? path : path.substr(kMark.size());
}

bool is_folder(const std::string& path) {
  if (Bearer* bearer = bearer_of(path)) return bearer->is_folder(plain(path));
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace stella::files
