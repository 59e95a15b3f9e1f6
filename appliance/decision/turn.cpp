// SPDX-License-Identifier: Apache-2.0
#include "appliance/decision/turn.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "bundles/files/write.hpp"

namespace stella::decision {

Turn::Turn(const std::string& run_folder) {
  const std::string folder = run_folder + "/approvals", path = folder + "/.turn";
  files::make_folders(folder);
  fd_ = files::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw fault::system_error(errno, "opening", path);
  while (::flock(fd_.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
}

bool has_event(const std::vector<journal::Event>& events, const std::string& type, const canon::Digest& dsse) {
  return std::ranges::any_of(events, [&](const journal::Event& event) {
    return event.type == type && event.data.contains("dsse") && event.data.at("dsse") == dsse.tagged();
  });
}

}  // namespace stella::decision
