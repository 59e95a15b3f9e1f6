// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/namespaces.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "appliance/sandbox/diagnosis.hpp"
#include "appliance/sandbox/init.hpp"
#include "appliance/sandbox/ownership.hpp"
#include "appliance/sandbox/report.hpp"

namespace stella::sandbox {
namespace {

// Above the three streams: a runner started with closed standard input has them free, and the child fills them anew.
files::Fd lifted(int fd) {
  const files::Fd low(fd);
  files::Fd high(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10));
  if (!high) throw unavailable(Stage::hand_over, errno);
  return high;
}

struct Pair {
  files::Fd ours, theirs;
};

Pair socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw unavailable(Stage::hand_over, errno);
  files::Fd second(ends[1]);
  Pair pair{lifted(ends[0]), {}};
  pair.theirs = lifted(second.release());
  return pair;
}

Pair pipe_pair() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw unavailable(Stage::hand_over, errno);
  files::Fd second(ends[1]);
  Pair pair{lifted(ends[0]), {}};
  pair.theirs = lifted(second.release());
  fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);  // our end only: the step's end keeps blocking
  return pair;
}

// No exit signal: the runner's own children and their handlers are not disturbed.
pid_t clone_into_namespaces(int& pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                    CLONE_NEWCGROUP | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
}

// Only a privileged parent has something to do: the maps, and the folders as id-mapped mounts.
void hand_over(const Child& child, const Blueprint& blueprint) {
  if (!blueprint.identity.privileged) return;
  if (!write_maps(blueprint.identity, child.pid())) throw unavailable(Stage::maps, errno);
  std::vector<files::Fd> mounts = folder_mounts(blueprint, child.pid());
  std::vector<int> fds;
  for (const auto& mount : mounts) fds.push_back(mount.get());
  (void)send_order(child.socket(), Order::go, fds);  // a child that is gone has said why
}

}  // namespace

Child::Child(pid_t pid, files::Fd pidfd, files::Fd socket, files::Fd output, files::Fd errors)
    : pid_(pid),
      pidfd_(std::move(pidfd)),
      socket_(std::move(socket)),
      output_(std::move(output)),
      errors_(std::move(errors)) {}

Child::Child(Child&& other) noexcept
    : pid_(other.pid_),
      pidfd_(std::move(other.pidfd_)),
      socket_(std::move(other.socket_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      waited_(std::exchange(other.waited_, true)) {}

Child::~Child() {
  if (waited_) return;
  kill();
  wait();
}

void Child::kill() noexcept {
  (void)syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void Child::wait() noexcept {
  siginfo_t ended{};
  int result = 0;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &ended, WEXITED | __WALL);
  } while (result != 0 && errno == EINTR);
  waited_ = true;
}

Child launch(const Blueprint& blueprint) {
  Pair talk = socket_pair();
  Pair output = pipe_pair();
  Pair errors = pipe_pair();
  const files::Fd input = lifted(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Ends ends{talk.theirs.get(), input.get(), output.theirs.get(), errors.theirs.get()};
  int pidfd = -1;
  const pid_t pid = clone_into_namespaces(pidfd);
  if (pid < 0) throw unavailable(Stage::clone, errno);
  if (pid == 0) live_as_init(blueprint, ends);
  talk.theirs.reset();  // else the child's end would never be seen
  Child child(pid, files::Fd(pidfd), std::move(talk.ours), std::move(output.ours), std::move(errors.ours));
  output.theirs.reset();
  errors.theirs.reset();
  hand_over(child, blueprint);
  return child;
}

}  // namespace stella::sandbox
