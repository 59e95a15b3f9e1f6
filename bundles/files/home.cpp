// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/home.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::files {
namespace {

using fault::Code;
using fault::Error;

std::string wanted_path(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* home = std::getenv("STELLA_HOME"); home != nullptr && *home != '\0') return home;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return std::string(home) + "/.stella";
  if (const passwd* user = ::getpwuid(::geteuid()); user != nullptr) return std::string(user->pw_dir) + "/.stella";
  throw Error(Code::usage, "home", "neither STELLA_HOME nor HOME says where the home is", {}, "Give --home DIR.");
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  if (!resolved) throw fault::system_error(errno, "opening the home", path);
  return resolved.get();
}

void require_safe(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) throw fault::system_error(errno, "looking at the home", path);
  if (!S_ISDIR(info.st_mode)) throw Error(Code::home_unsafe, "kind", fmt::format("{} is not a folder", path), path);
  if (info.st_uid != ::geteuid()) {
    throw Error(Code::home_unsafe, "owner", fmt::format("{} belongs to uid {}, not to this user", path, info.st_uid),
                path, "Use a home of your own: --home DIR or STELLA_HOME.");
  }
  if ((info.st_mode & 022) != 0) {
    throw Error(Code::home_unsafe, "mode",
                fmt::format("{} has mode {:04o}: others can write to it", path, info.st_mode & 07777), path);
  }
}

}  // namespace

Home Home::open(const std::string& path) {
  const std::string wanted = wanted_path(path);
  struct stat info {};
  if (::stat(wanted.c_str(), &info) != 0) {
    if (errno != ENOENT) throw fault::system_error(errno, "opening the home", wanted);
    make_folders(wanted, 0700);
  }
  const std::string real = absolute(wanted);
  require_safe(real);
  return Home(real);
}

}  // namespace stella::files
