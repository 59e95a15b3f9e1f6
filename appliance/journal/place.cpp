// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/place.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"

namespace stella::journal {
namespace {

// Byte 0 is held while places are counted; place n is byte n.
struct flock byte(int at, short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = at;
  range.l_len = 1;
  return range;
}

bool is_held(const files::Fd& fd, int at, const std::string& path) {
  struct flock range = byte(at, F_WRLCK);
  if (::fcntl(fd.get(), F_GETLK, &range) != 0) throw fault::system_error(errno, "asking for a lock of", path);
  return range.l_type != F_UNLCK;
}

// The lowest free place, 0 when too many are taken.
int find_free(const files::Fd& fd, int most, const std::string& path) {
  int taken = 0, free = 0;
  for (int at = 1; at <= kMostPlaces && taken < most; ++at) {
    if (is_held(fd, at, path)) {
      ++taken;
    } else if (free == 0) {
      free = at;
    }
  }
  return taken < most ? free : 0;
}

}  // namespace

std::optional<Place> try_take_place(const files::Home& home, const std::string& tenant, int most) {
  files::make_folders(home.runs());
  const std::string path = home.runs() + "/.places-" + tenant;
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "opening", path);
  struct flock counting = byte(0, F_WRLCK);
  while (::fcntl(fd.get(), F_SETLKW, &counting) != 0) {
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
  }
  const int at = find_free(fd, std::min(most, kMostPlaces), path);
  if (at == 0) return std::nullopt;
  struct flock place = byte(at, F_WRLCK), counted = byte(0, F_UNLCK);
  if (::fcntl(fd.get(), F_SETLK, &place) != 0) throw fault::system_error(errno, "locking", path);
  ::fcntl(fd.get(), F_SETLK, &counted);
  return Place(std::move(fd));
}

}  // namespace stella::journal
