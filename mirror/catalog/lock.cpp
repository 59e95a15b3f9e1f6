// SPDX-License-Identifier: Apache-2.0
#include "mirror/catalog/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::catalog {

files::Fd lock_registry(const files::Home& home) {
  files::make_folders(home.mirror());
  const std::string path = home.mirror() + "/lock";
  files::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) throw fault::system_error(errno, "opening", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw fault::system_error(errno, "locking", path);
  throw fault::Error(fault::Code::mirror_busy, "locked", "another stella process is writing to this home's registry",
                     path);
}

}  // namespace stella::catalog
