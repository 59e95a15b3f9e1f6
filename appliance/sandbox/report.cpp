// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/report.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace stella::sandbox {
namespace {

using Control = std::array<char, CMSG_SPACE(kMaxPassed * sizeof(int))>;

bool send_with(int socket, const void* bytes, std::size_t size, std::span<const int> fds) noexcept {
  iovec part{const_cast<void*>(bytes), size};
  alignas(cmsghdr) Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(head), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(size);
}

// Returns the bytes read (0: the end) and puts the descriptors into `fds`, whose used part is `count`.
ssize_t receive_with(int socket, void* bytes, std::size_t size, std::span<int> fds, int& count, int flags) noexcept {
  iovec part{bytes, size};
  alignas(cmsghdr) Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
  } while (got < 0 && errno == EINTR);
  count = 0;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); got > 0 && head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t many = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < many && static_cast<std::size_t>(count) < fds.size(); ++i) {
      std::memcpy(&fds[static_cast<std::size_t>(count++)], CMSG_DATA(head) + i * sizeof(int), sizeof(int));
    }
  }
  return got;
}

}  // namespace

const char* name_of(Stage stage) noexcept {
  static constexpr std::array<const char*, 22> kNames = {"creating the namespaces",
                                                         "mapping the user",
                                                         "handing over the run's folders",
                                                         "the loopback link and routes",
                                                         "a listener for an allowed host",
                                                         "the name server",
                                                         "the packet witness",
                                                         "opening the system's folders",
                                                         "the root view",
                                                         "the /etc view",
                                                         "the devices",
                                                         "the memory folders",
                                                         "the process view",
                                                         "the network settings",
                                                         "the run's folders",
                                                         "the secrets folder",
                                                         "changing the root",
                                                         "the limits",
                                                         "giving up privileges",
                                                         "the system call filter",
                                                         "starting the step's process",
                                                         "starting the program"};
  return kNames[static_cast<std::size_t>(stage)];
}

bool send_report(int socket, const Report& report, std::span<const int> fds) noexcept {
  return send_with(socket, &report, sizeof report, fds);
}

void give_up(int socket, Stage stage, int error) noexcept {
  (void)send_report(socket, {Report::Kind::failed, stage, error, 0});
  _exit(127);
}

int receive_order(int socket, Order& order, std::span<int> fds) noexcept {
  int count = 0;
  return receive_with(socket, &order, sizeof order, fds, count, 0) == sizeof order ? count : -1;
}

bool send_order(int socket, Order order, std::span<const int> fds) noexcept {
  return send_with(socket, &order, sizeof order, fds);
}

bool receive_report(int socket, Received& received, Wait wait) {
  std::array<int, kMaxPassed> fds{};
  int count = 0;
  const ssize_t got =
      receive_with(socket, &received.report, sizeof received.report, fds, count, wait == Wait::no ? MSG_DONTWAIT : 0);
  received.fds.clear();
  for (int i = 0; i < count; ++i) received.fds.emplace_back(fds[static_cast<std::size_t>(i)]);
  return got == sizeof received.report;
}

}  // namespace stella::sandbox
