// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/init.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "appliance/sandbox/filter.hpp"
#include "appliance/sandbox/limits.hpp"
#include "appliance/sandbox/mounts.hpp"
#include "appliance/sandbox/netbox.hpp"
#include "appliance/sandbox/report.hpp"

namespace stella::sandbox {
namespace {

constexpr const char* kHostName = "stella";

// Other threads of the runner have descriptors open, of other steps too; none may live on in this tree.
template <std::size_t N>
void close_all_but(std::array<int, N> kept) noexcept {
  std::sort(kept.begin(), kept.end());
  unsigned from = 0;
  for (const int fd : kept) {
    if (fd < 0) continue;
    if (static_cast<unsigned>(fd) > from) close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range(from, UINT_MAX, 0);
}

// Name and arguments of the runner would show in /proc/1 of the step.
void hide_origin(const Blueprint& blueprint) noexcept {
  prctl(PR_SET_NAME, "init");
  if (blueprint.arguments != nullptr) std::memset(blueprint.arguments, 0, blueprint.arguments_size);
}

// Set again after every change of user, which clears it. A parent that died before is noticed at the socket.
void die_with_parent() noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

FolderMounts take_identity(const Blueprint& blueprint, int socket) noexcept {
  FolderMounts folders;
  folders.fill(-1);
  if (blueprint.identity.privileged) {
    Order order{};
    const int received = receive_order(socket, order, folders);
    if (received < 0) _exit(127);  // the parent failed or died, and says so itself
    if (!become(blueprint.identity)) give_up(socket, Stage::maps, errno);
  } else {
    need(map_myself(blueprint.identity), socket, Stage::maps);
    open_folders(blueprint, socket, folders);
  }
  die_with_parent();
  return folders;
}

// Between clone and exec, in memory shared with init, which waits meanwhile.
struct Start {
  const Blueprint* blueprint;
  const Ends* ends;
};
int become_step(void* argument) noexcept {
  const auto& [blueprint, ends] = *static_cast<Start*>(argument);
  const int socket = ends->socket;
  need(setsid() >= 0, socket, Stage::fork_step);
  reset_signals();
  umask(022);
  // Pipes and /dev/null only: a descriptor of the caller would show its path, or reach its terminal.
  const bool ok = dup2(ends->input, 0) == 0 && dup2(ends->output, 1) == 1 && dup2(ends->errors, 2) == 2 &&
                  dup3(socket, 3, O_CLOEXEC) == 3 && close_range(4, UINT_MAX, 0) == 0;
  need(ok, 3, Stage::fork_step);
  need(set_limits(blueprint->max_processes), 3, Stage::limits);
  need(drop_privileges(), 3, Stage::privileges);
  need(load_filter(blueprint->filter), 3, Stage::filter);
  int error = ENOENT;
  for (char* const* program = blueprint->candidates.data(); *program != nullptr; ++program) {
    execve(*program, blueprint->argv.data(), blueprint->envp.data());
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (error != ENOENT && error != EACCES) break;
  }
  give_up(3, Stage::exec, error);
}

pid_t start_step(const Blueprint& blueprint, const Ends& ends) noexcept {
  Start start{&blueprint, &ends};
  // Like vfork, on a stack of its own: the page tables of a large runner are not copied a second time.
  char* top = const_cast<char*>(blueprint.stack.data()) + blueprint.stack.size();
  top -= reinterpret_cast<std::uintptr_t>(top) % 16;
  return clone(become_step, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
}

// Reaps what has ended; true when the step's own process is among it.
bool reap(pid_t step, int& status) noexcept {
  for (;;) {
    int ended_status = 0;
    const pid_t ended = waitpid(-1, &ended_status, WNOHANG);
    if (ended <= 0) return false;
    if (ended != step) continue;
    status = ended_status;
    return true;
  }
}

// Whatever the step left running; whose parent has died is ours. Nobody is left when there is nobody to wait for.
void end_tree() noexcept {
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
}

[[noreturn]] void wait_for_end(int socket, int signals, pid_t step) noexcept {
  std::array<pollfd, 2> watched = {{{socket, POLLIN, 0}, {signals, POLLIN, 0}}};
  for (;;) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) {
      Order order{};
      if (receive_order(socket, order, {}) < 0) _exit(125);  // the parent is gone: so is everything in here
      if (order == Order::terminate) kill(-step, SIGTERM);
    }
    if (watched[1].revents == 0) continue;
    signalfd_siginfo ignored{};
    (void)!read(signals, &ignored, sizeof ignored);
    int status = 0;
    if (!reap(step, status)) continue;
    end_tree();
    (void)send_report(socket, {Report::Kind::ended, Stage::exec, 0, status});
    _exit(0);
  }
}

int block_signals(int socket) noexcept {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  need(signals >= 0, socket, Stage::fork_step);
  return signals;
}

}  // namespace

void live_as_init(const Blueprint& blueprint, const Ends& ends) noexcept {
  const int socket = ends.socket;
  close_all_but(std::array{socket, ends.input, ends.output, ends.errors});
  die_with_parent();
  setsid();  // out of reach of a Ctrl-C at the runner's terminal
  umask(0);
  const int signals = block_signals(socket);
  hide_origin(blueprint);
  const NetSockets sockets = build_netbox(blueprint, socket);
  const FolderMounts folders = take_identity(blueprint, socket);
  const View view = build_view(blueprint, socket, folders);
  need(sethostname(kHostName, std::strlen(kHostName)) == 0, socket, Stage::root);
  std::array<int, 5> passed{};
  std::size_t many = 0;
  for (const int fd : {sockets.name_server_udp, sockets.witness, view.proc, sockets.name_server_tcp, view.secrets}) {
    if (fd >= 0) passed[many++] = fd;
  }
  const auto kind = Report::Kind::ready;
  const auto told = static_cast<std::int32_t>((sockets.name_server_tcp >= 0 ? 1 : 0) + (view.secrets >= 0 ? 2 : 0));
  need(send_report(socket, {kind, Stage::exec, 0, told}, {passed.data(), many}), socket, Stage::hand_over);
  if (blueprint.only_probe) {
    need(drop_privileges(), socket, Stage::privileges);
    need(load_filter(blueprint.filter), socket, Stage::filter);
    (void)send_report(socket, {Report::Kind::ended, Stage::exec, 0, 0});
    _exit(0);
  }
  const pid_t step = start_step(blueprint, ends);
  need(step > 0, socket, Stage::fork_step);
  close_all_but(std::array{socket, signals});
  need(drop_privileges(), socket, Stage::privileges);
  wait_for_end(socket, signals, step);
}

}  // namespace stella::sandbox
