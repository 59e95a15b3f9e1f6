// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/reserve.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "bundles/files/fd.hpp"
#include "bundles/files/write.hpp"

namespace stella::journal {
namespace {

std::string path_in(const std::string& folder) {
  return folder + "/.reserve";
}

}  // namespace

bool has_reserve(const std::string& folder) {
  return ::access(path_in(folder).c_str(), F_OK) == 0;
}

void keep_reserve(const std::string& folder) {
  const std::string path = path_in(folder);
  if (has_reserve(folder) || files::free_bytes(folder) < 2 * kReserveBytes) return;
  const files::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  // posix_fallocate takes real blocks; a file that is only long would hold nothing back.
  if (fd && ::posix_fallocate(fd.get(), 0, static_cast<off_t>(kReserveBytes)) != 0) ::unlink(path.c_str());
}

bool release_reserve(const std::string& folder) {
  return ::unlink(path_in(folder).c_str()) == 0;
}

}  // namespace stella::journal
