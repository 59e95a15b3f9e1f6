// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "appliance/journal/holder.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::journal {
namespace {

struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

std::string holder_of(const files::Fd& fd) {
  struct flock range = whole_file();
  if (::fcntl(fd.get(), F_GETLK, &range) != 0 || range.l_type == F_UNLCK) return "another process";
  return fmt::format("process {}", range.l_pid);
}

files::Fd open_lock(const RunRow& run) {
  const std::string path = run.folder + "/lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd && errno == EROFS)
    throw fault::Error(fault::Code::artifact_store, "read-only",
                       fmt::format("{} cannot be locked: {} is on a read-only disk", run.id, path), path,
                       fmt::format("Make the disk writable, then `stella pack runs resume --run {}`.", run.id));
  if (!fd) throw fault::system_error(errno, "opening", path);
  return fd;
}

// A POSIX lock is not inherited, so it ends exactly with the runner; the flock is shared with whatever the runner
// forked and is therefore free only when the last process of a killed runner's step is gone too.
bool take(const files::Fd& fd) {
  struct flock range = whole_file();
  if (::fcntl(fd.get(), F_SETLK, &range) != 0) return false;
  for (int tries = 0; tries < 200; ++tries) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return false;
}

}  // namespace

std::optional<pid_t> find_runner(const RunRow& run) {
  const std::string path = run.folder + "/lock";
  const files::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct flock range = whole_file();
  if (!fd || ::fcntl(fd.get(), F_GETLK, &range) != 0 || range.l_type == F_UNLCK) return std::nullopt;
  return range.l_pid;
}

RunLock Journal::lock_run(const RunRow& run) const {
  files::Fd fd = open_lock(run);
  if (take(fd)) return RunLock(std::move(fd));
  throw fault::Error(fault::Code::run_busy, "run", fmt::format("{} is run by {}", run.id, holder_of(fd)), run.id);
}

std::optional<RunLock> Journal::try_lock_run(const RunRow& run) const {
  files::Fd fd = open_lock(run);
  if (!take(fd)) return std::nullopt;
  return RunLock(std::move(fd));
}

}  // namespace stella::journal
