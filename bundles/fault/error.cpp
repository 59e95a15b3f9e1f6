// SPDX-License-Identifier: Apache-2.0
#include "bundles/fault/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace stella::fault {

Error::Error(Code code, std::string_view reason, const std::string& what, std::string at, std::string fix)
    : std::runtime_error(what), code_(code), reason_(reason), at_(std::move(at)), fix_(std::move(fix)) {}

std::string Error::fix() const {
  return fix_.empty() ? std::string(info(code_).fix) : fix_;
}

Error Error::located(const std::string& at) const {
  return Error(code_, reason_, what(), at, fix_);
}

const CodeInfo& info(Code code) noexcept {
  for (const CodeInfo& row : catalogue()) {
    if (row.code == code) return row;
  }
  return catalogue().front();
}

const CodeInfo* find_code(std::string_view name) noexcept {
  for (const CodeInfo& row : catalogue()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Error system_error(int error_number, std::string_view doing, const std::string& path) {
  const char* name = strerrorname_np(error_number);
  std::string what =
      fmt::format("{} {}: {} ({})", doing, path, std::strerror(error_number), name ? name : "unknown errno");
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Error(Code::file_not_found, "missing", what, path);
    case ENOSPC:
    case EDQUOT:
      return Error(Code::no_space, "full", what, path);
    case EIO:
    case ENODEV:
    case ENXIO:
      return Error(Code::media_gone, "io", what, path);
    case EROFS:
      return Error(Code::file_unsuitable, "read-only", what, path);
    case EACCES:
    case EPERM:
      return Error(Code::file_unsuitable, "permission", what, path);
    case ELOOP:
      return Error(Code::file_unsuitable, "link", what, path);
    default:
      return Error(Code::file_unsuitable, "io", what, path);
  }
}

}  // namespace stella::fault
