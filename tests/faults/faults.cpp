// SPDX-License-Identifier: Apache-2.0
// What a machine does to a program, done to the real binary (LD_PRELOAD): the power goes, the disk fills, the clock
// jumps. Nothing of this is in the product. Only the process that was started counts, not the children it forks.
//
//   FAULT_BELOW=FOLDER    only files beneath it count
//   FAULT_KILL_AT=N       SIGKILL instead of the N-th call that changes a file or makes it durable
//   FAULT_FULL_AT=N       from the N-th such call on that needs space: ENOSPC
//   FAULT_READONLY_AT=N   from the N-th such call on: EROFS
//   FAULT_COUNT=FILE      at exit: how many such calls there were
//   FAULT_CLOCK=FILE      holds the seconds to add to CLOCK_REALTIME, read anew at every look at the clock
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

enum class Needs { space, nothing };

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

long number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atol(text);
}

struct Faults {
  const char* below = std::getenv("FAULT_BELOW");
  const char* count = std::getenv("FAULT_COUNT");
  const char* clock = std::getenv("FAULT_CLOCK");
  long kill_at = number("FAULT_KILL_AT"), full_at = number("FAULT_FULL_AT"), readonly_at = number("FAULT_READONLY_AT");
  pid_t self = ::getpid();
  std::atomic<long> calls{0};

  ~Faults() {
    if (count == nullptr || ::getpid() != self) return;
    if (std::FILE* file = std::fopen(count, "w"); file != nullptr) {
      std::fprintf(file, "%ld\n", calls.load());
      std::fclose(file);
    }
  }
};

Faults& faults() {
  static Faults made;
  return made;
}

bool is_below(const char* path) {
  const char* below = faults().below;
  return below != nullptr && path != nullptr && std::strncmp(path, below, std::strlen(below)) == 0;
}

bool is_below(int fd, const char* path = "") {
  if (path != nullptr && path[0] == '/') return is_below(path);
  char link[64], target[4096];
  std::snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, target, sizeof target - 1);
  if (length <= 0) return false;
  target[length] = '\0';
  return is_below(target);
}

// True: the call fails with errno as the fault says.
bool fails(bool counts, Needs needs) {
  Faults& now = faults();
  if (!counts || ::getpid() != now.self) return false;
  const long call = ++now.calls;
  if (now.kill_at != 0 && call >= now.kill_at) ::kill(now.self, SIGKILL);
  if (now.full_at != 0 && call >= now.full_at && needs == Needs::space) {
    errno = ENOSPC;
    return true;
  }
  if (now.readonly_at != 0 && call >= now.readonly_at) {
    errno = EROFS;
    return true;
  }
  return false;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static auto* next = real<ssize_t(int, const void*, size_t)>("write");
  return fails(is_below(fd), Needs::space) ? -1 : next(fd, data, size);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static auto* next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return fails(is_below(fd), Needs::space) ? -1 : next(fd, data, size, at);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* next = real<ssize_t(int, const iovec*, int)>("writev");
  return fails(is_below(fd), Needs::space) ? -1 : next(fd, parts, count);
}
int ftruncate64(int fd, off64_t size) {
  static auto* next = real<int(int, off64_t)>("ftruncate64");
  return fails(is_below(fd), Needs::nothing) ? -1 : next(fd, size);
}
int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}
int fsync(int fd) {
  static auto* next = real<int(int)>("fsync");
  return fails(is_below(fd), Needs::nothing) ? -1 : next(fd);
}
int fdatasync(int fd) {
  static auto* next = real<int(int)>("fdatasync");
  return fails(is_below(fd), Needs::nothing) ? -1 : next(fd);
}
int mkdir(const char* path, mode_t mode) {
  static auto* next = real<int(const char*, mode_t)>("mkdir");
  const bool is_new = ::access(path, F_OK) != 0;  // of one that is there the kernel says so first
  return fails(is_new && is_below(AT_FDCWD, path), Needs::space) ? -1 : next(path, mode);
}
int mkdirat(int folder, const char* path, mode_t mode) {
  static auto* next = real<int(int, const char*, mode_t)>("mkdirat");
  const bool is_new = ::faccessat(folder, path, F_OK, 0) != 0;
  return fails(is_new && is_below(folder, path), Needs::space) ? -1 : next(folder, path, mode);
}
int rename(const char* from, const char* to) {
  static auto* next = real<int(const char*, const char*)>("rename");
  return fails(is_below(AT_FDCWD, to), Needs::nothing) ? -1 : next(from, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static auto* next = real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return fails(is_below(to_folder, to), Needs::nothing) ? -1 : next(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) {
  static auto* next = real<int(const char*)>("unlink");
  return fails(is_below(AT_FDCWD, path), Needs::nothing) ? -1 : next(path);
}
int open64(const char* path, int flags, ...) {
  static auto* next = real<int(const char*, int, ...)>("open64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 && is_below(AT_FDCWD, path);
  return fails(changes, Needs::space) ? -1 : next(path, flags, mode);
}
int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open64(path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  static auto* next = real<int(int, const char*, int, ...)>("openat64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 && is_below(folder, path);
  return fails(changes, Needs::space) ? -1 : next(folder, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return openat64(folder, path, flags, mode);
}
int clock_gettime(clockid_t clock, timespec* time) {
  static auto* next = real<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result != 0 || clock != CLOCK_REALTIME || faults().clock == nullptr) return result;
  const int fd = open64(faults().clock, O_RDONLY | O_CLOEXEC);
  char text[32]{};
  if (fd >= 0) {
    if (::read(fd, text, sizeof text - 1) > 0) time->tv_sec += std::atol(text);
    ::close(fd);
  }
  return 0;
}

}  // extern "C"
