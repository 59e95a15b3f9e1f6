// SPDX-License-Identifier: Apache-2.0
#include "appliance/respawn/respawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "bundles/fault/error.hpp"
#include "bundles/files/fd.hpp"

namespace stella::respawn {
namespace {

struct Failed {
  char stage[24];
  int error_number;
};

// What the child needs, made before fork: afterwards nothing may allocate.
struct Ready {
  std::vector<char*> arguments, environment;
  std::vector<Placed> descriptors;
  std::vector<int> parked;
  int report = -1, past_targets = 3;
  pid_t parent = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts, const char* first) {
  std::vector<char*> all;
  if (first != nullptr) all.push_back(const_cast<char*>(first));
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void give_up(const Ready& ready, const char* stage) {
  Failed failed{};
  std::strncpy(failed.stage, stage, sizeof failed.stage - 1);
  failed.error_number = errno;
  (void)!::write(ready.report, &failed, sizeof failed);
  ::_exit(127);
}

void settle_signals(const Ready& ready) {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD, SIGPIPE}) ::sigaction(number, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) give_up(ready, "signals");
}

// First all sources out of the way of all targets, then each to its place.
void place_descriptors(Ready& ready) {
  for (std::size_t i = 0; i < ready.descriptors.size(); ++i) {
    ready.parked[i] = ::fcntl(ready.descriptors[i].from, F_DUPFD_CLOEXEC, ready.past_targets);
    if (ready.parked[i] < 0) give_up(ready, "descriptors");
  }
  ready.report = ::fcntl(ready.report, F_DUPFD_CLOEXEC, ready.past_targets);
  for (int fd = 0; fd < ready.past_targets; ++fd) ::close(fd);
  for (std::size_t i = 0; i < ready.descriptors.size(); ++i) {
    if (::dup2(ready.parked[i], ready.descriptors[i].to) < 0) give_up(ready, "descriptors");
  }
  // What somebody left open without O_CLOEXEC goes too; the report's pipe ends with a good exec.
  if (::close_range(static_cast<unsigned>(ready.past_targets), ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    give_up(ready, "closing");
}

[[noreturn]] void become(const Start& wish, Ready& ready) {
  settle_signals(ready);
  if (wish.own_session && ::setsid() < 0) give_up(ready, "session");
  if (wish.signal_at_my_end != 0) {
    if (::prctl(PR_SET_PDEATHSIG, wish.signal_at_my_end) != 0) give_up(ready, "death signal");
    if (::getppid() != ready.parent) ::_exit(127);  // the parent ended before the signal was asked for
  }
  if (!wish.folder.empty() && ::chdir(wish.folder.c_str()) != 0) give_up(ready, "folder");
  place_descriptors(ready);
  ::execve("/proc/self/exe", ready.arguments.data(), wish.environment ? ready.environment.data() : environ);
  give_up(ready, "exec");
}

}  // namespace

pid_t start(const Start& wish) {
  Ready ready;
  ready.arguments = pointers(wish.arguments, "stella");
  if (wish.environment) ready.environment = pointers(*wish.environment, nullptr);
  ready.descriptors = wish.descriptors;
  ready.parked.resize(wish.descriptors.size(), -1);
  for (const Placed& one : wish.descriptors) ready.past_targets = std::max(ready.past_targets, one.to + 1);
  ready.parent = ::getpid();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw fault::system_error(errno, "making a pipe", "pipe");
  const files::Fd read_end(ends[0]);
  files::Fd write_end(ends[1]);
  ready.report = write_end.get();
  const pid_t child = ::fork();
  if (child < 0) throw fault::system_error(errno, "starting", "/proc/self/exe");
  if (child == 0) become(wish, ready);
  write_end = files::Fd();
  Failed failed{};
  ssize_t count = 0;
  do count = ::read(read_end.get(), &failed, sizeof failed);
  while (count < 0 && errno == EINTR);
  if (count == 0) return child;
  ::waitpid(child, nullptr, 0);
  throw fault::Error(
      fault::Code::internal, "spawn",
      fmt::format("stella could not start itself: {}: {}", failed.stage, std::strerror(failed.error_number)));
}

}  // namespace stella::respawn
