// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/netbox.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "appliance/sandbox/witness.hpp"

namespace stella::sandbox {
namespace {

constexpr int kLoopback = 1;  // the first link of a new namespace
constexpr int kBacklog = 128;
constexpr int kWitnessBuffer = 4 << 20;

struct LinkRequest {
  nlmsghdr head;
  ifinfomsg link;
};
struct RouteRequest {
  nlmsghdr head;
  rtmsg route;
  rtattr attribute;
  std::uint32_t device;
};
struct Batch {
  LinkRequest link;
  RouteRequest v4, v6;
};  // each part is a multiple of four bytes long

RouteRequest all_local(unsigned char family, std::uint32_t number) noexcept {
  RouteRequest request{};
  request.head = {sizeof request, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, number, 0};
  request.route.rtm_family = family;
  request.route.rtm_table = RT_TABLE_LOCAL;
  request.route.rtm_protocol = RTPROT_STATIC;
  request.route.rtm_scope = RT_SCOPE_HOST;
  request.route.rtm_type = RTN_LOCAL;
  request.attribute = {sizeof(rtattr) + sizeof(std::uint32_t), RTA_OIF};
  request.device = kLoopback;
  return request;
}

// Reads the three answers; 0 or the first error. A kernel without IPv6 refuses the third, and then has no way out by
// it.
int read_answers(int netlink) noexcept {
  alignas(nlmsghdr) std::array<char, 4096> buffer{};
  for (int answered = 0; answered < 3;) {
    ssize_t size = recv(netlink, buffer.data(), buffer.size(), 0);
    if (size < 0) return errno;
    for (auto* head = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
      if (head->nlmsg_type != NLMSG_ERROR) continue;
      ++answered;
      nlmsgerr answer{};
      std::memcpy(&answer, NLMSG_DATA(head), sizeof answer);
      if (answer.error != 0 && head->nlmsg_seq != 3) return -answer.error;
    }
  }
  return 0;
}

void raise_loopback(int socket) noexcept {
  const int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  need(netlink >= 0, socket, Stage::link);
  Batch batch{};
  batch.link.head = {sizeof batch.link, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
  batch.link.link.ifi_index = kLoopback;
  batch.link.link.ifi_flags = IFF_UP;
  batch.link.link.ifi_change = IFF_UP;
  batch.v4 = all_local(AF_INET, 2);
  batch.v6 = all_local(AF_INET6, 3);
  need(send(netlink, &batch, sizeof batch, 0) == sizeof batch, socket, Stage::link);
  if (const int error = read_answers(netlink); error != 0) give_up(socket, Stage::link, error);
  close(netlink);
}

bool option(int fd, int level, int name, int value) noexcept {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

int bound(int family, int type, const sockaddr* address, socklen_t length) noexcept {
  const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // IPv6 binds to an address that is on a link, unless it is told that a route makes it local.
  if (family == AF_INET6 && !(option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1))) {
    return -1;
  }
  if (bind(fd, address, length) != 0) return -1;
  if ((type == SOCK_STREAM) && listen(fd, kBacklog) != 0) return -1;
  return fd;
}

void send_listeners(const Blueprint& blueprint, int socket) noexcept {
  std::array<int, kMaxPassed> fds{};
  std::size_t many = 0;
  for (std::size_t i = 0; i < blueprint.listeners.size(); ++i) {
    const Listen& wanted = blueprint.listeners[i];
    const auto* address = reinterpret_cast<const sockaddr*>(&wanted.address);
    const int fd = bound(wanted.address.ss_family, SOCK_STREAM, address, wanted.length);
    need(fd >= 0, socket, Stage::listener);
    fds[many++] = fd;
    if (many < fds.size() && i + 1 < blueprint.listeners.size()) continue;
    need(send_report(socket, {Report::Kind::listeners, Stage::listener, 0, 0}, {fds.data(), many}), socket,
         Stage::listener);
    for (std::size_t k = 0; k < many; ++k) close(fds[k]);
    many = 0;
  }
}

int name_server(int type, int socket) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = bound(AF_INET, type, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  // A policy may allow 127.0.0.1:53 itself; then the listener has the place, and datagrams still reach the name server.
  if (fd < 0 && type == SOCK_STREAM && errno == EADDRINUSE) return -1;
  need(fd >= 0, socket, Stage::name_server);
  return fd;
}

int open_witness(int socket) noexcept {
  const int fd = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);  // protocol 0: nothing before bind
  need(fd >= 0, socket, Stage::witness);
  const auto program = witness_program();
  const sock_fprog filter{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  need(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0, socket, Stage::witness);
  option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kWitnessBuffer);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = kLoopback;
  need(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, socket, Stage::witness);
  return fd;
}

bool write_beneath(int folder, const char* path, const char* text, std::size_t size) noexcept {
  const int fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = write(fd, text, size) == static_cast<ssize_t>(size);
  const int error = errno;
  close(fd);
  errno = error;
  return ok;
}

}  // namespace

NetSockets build_netbox(const Blueprint& blueprint, int socket) noexcept {
  raise_loopback(socket);
  NetSockets sockets;
  sockets.witness = open_witness(socket);
  send_listeners(blueprint, socket);
  sockets.name_server_udp = name_server(SOCK_DGRAM, socket);
  sockets.name_server_tcp = name_server(SOCK_STREAM, socket);
  return sockets;
}

bool set_network_switches(int proc, const char* ping_group, std::size_t size) noexcept {
  if (!write_beneath(proc, "sys/net/ipv4/icmp_echo_ignore_all", "1", 1)) return false;
  if (!write_beneath(proc, "sys/net/ipv4/ping_group_range", ping_group, size)) return false;
  return write_beneath(proc, "sys/net/ipv6/icmp/echo_ignore_all", "1", 1) || errno == ENOENT;
}

}  // namespace stella::sandbox
