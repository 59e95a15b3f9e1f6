// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/relay.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "appliance/sandbox/blueprint.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostOpen = 256;
constexpr std::size_t kBlock = std::size_t{128} << 10;
constexpr int kBlocksAtOnce = 8;  // then the others have their turn
constexpr std::chrono::seconds kPatience{10};
constexpr int kBacklog = 128;

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// One end of a connection and what it is watched for; with nothing to watch for it is not watched at all, because
// epoll would go on to report a hang-up.
struct Side {
  files::Fd fd;
  std::uint32_t watched = 0;
};

// One direction: bytes read and not yet taken by the other end.
struct Flow {
  std::string pending;
  std::size_t sent = 0;
  bool is_ended = false, is_shut = false;
  [[nodiscard]] bool is_blocked() const { return sent < pending.size(); }
};

enum class Pump { waiting, busy, broken };

bool flush(int to, Flow& flow) {
  while (flow.is_blocked()) {
    const ssize_t put = send(to, flow.pending.data() + flow.sent, flow.pending.size() - flow.sent, MSG_NOSIGNAL);
    if (put < 0) return would_wait(errno);
    flow.sent += static_cast<std::size_t>(put);
  }
  flow.pending.clear();
  flow.sent = 0;
  return true;
}

Pump pump(int from, int to, Flow& flow, std::vector<char>& buffer, std::uint64_t& bytes) {
  if (!flush(to, flow)) return Pump::broken;
  for (int i = 0; i < kBlocksAtOnce && !flow.is_blocked() && !flow.is_ended; ++i) {
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got < 0) return would_wait(errno) ? Pump::waiting : Pump::broken;
    if (got == 0) flow.is_ended = true;
    bytes += static_cast<std::uint64_t>(got);
    const ssize_t put = got == 0 ? 0 : send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    if (put < 0 && !would_wait(errno)) return Pump::broken;
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(put, 0));
    flow.pending.assign(buffer.data() + taken, static_cast<std::size_t>(got) - taken);
  }
  if (flow.is_ended && !flow.is_blocked() && !flow.is_shut) {
    shutdown(to, SHUT_WR);
    flow.is_shut = true;
  }
  return flow.is_blocked() || flow.is_ended ? Pump::waiting : Pump::busy;
}

void reset_at_close(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

struct Relay::Connection {
  std::size_t destination;
  Side inside, outside;
  bool is_connected = false;
  Instant started;
  Flow out, in;
};

Relay::Relay(Watch& watch, std::vector<Endpoint> destinations, std::vector<files::Fd> listeners)
    : watch_(watch),
      destinations_(std::move(destinations)),
      listeners_(std::move(listeners)),
      is_listening_(listeners_.size(), true),
      buffer_(kBlock) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    totals_.push_back(
        {.host = destinations_[i].host, .address = destinations_[i].address, .port = destinations_[i].port});
    watch_.add(listeners_[i].get(), EPOLLIN, [this, i](std::uint32_t) { accept_all(i); });
  }
}

Relay::~Relay() = default;

void Relay::accept_all(std::size_t destination) {
  for (int i = 0; i < kBlocksAtOnce; ++i) {
    files::Fd inside(accept4(listeners_[destination].get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!inside) return;
    start(destination, std::move(inside));
  }
}

void Relay::start(std::size_t destination, files::Fd inside) {
  const Listen to = destination_address(destinations_[destination]);
  files::Fd outside;
  if (connections_.size() < kMostOpen) {
    outside = files::Fd(socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  if (!outside) {
    ++totals_[destination].refused;
    reset_at_close(inside.get());
    return;
  }
  ++totals_[destination].connections;
  const int result = connect(outside.get(), reinterpret_cast<const sockaddr*>(&to.address), to.length);
  if (result != 0 && errno != EINPROGRESS) {
    totals_[destination].unreachable = true;
    reset_at_close(inside.get());
    return;
  }
  auto connection = std::make_unique<Connection>();
  connection->destination = destination;
  connection->started = std::chrono::steady_clock::now();
  connection->inside.fd = std::move(inside);
  connection->outside.fd = std::move(outside);
  Connection* raw = connection.get();
  connections_.push_back(std::move(connection));
  raw->outside.watched = EPOLLOUT;
  watch_.add(raw->outside.fd.get(), EPOLLOUT, [this, raw](std::uint32_t) { act(*raw); });
}

void Relay::act(Connection& connection) {
  if (!connection.is_connected) return connected(connection);
  Relayed& total = totals_[connection.destination];
  const int inside = connection.inside.fd.get(), outside = connection.outside.fd.get();
  const Pump out = pump(inside, outside, connection.out, buffer_, total.bytes_out);
  const Pump in = pump(outside, inside, connection.in, buffer_, total.bytes_in);
  if (out == Pump::broken || in == Pump::broken) return reset(connection);
  if (connection.out.is_shut && connection.in.is_shut) return drop(connection);
  const auto wish = [](const Flow& reads, const Flow& writes) {
    return (reads.is_blocked() || reads.is_ended ? 0U : std::uint32_t{EPOLLIN}) |
           (writes.is_blocked() ? std::uint32_t{EPOLLOUT} : 0U);
  };
  const auto watch = [this, &connection](Side& side, std::uint32_t events) {
    if (side.watched == events) return;
    if (events == 0)
      watch_.remove(side.fd.get());
    else if (side.watched != 0)
      watch_.change(side.fd.get(), events);
    else
      watch_.add(side.fd.get(), events, [this, raw = &connection](std::uint32_t) { act(*raw); });
    side.watched = events;
  };
  watch(connection.inside, wish(connection.out, connection.in));
  watch(connection.outside, wish(connection.in, connection.out));
}

void Relay::connected(Connection& connection) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.outside.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    totals_[connection.destination].unreachable = true;
    reset_at_close(connection.inside.fd.get());
    return drop(connection);
  }
  connection.is_connected = true;
  act(connection);
}

void Relay::drop(Connection& connection) {
  for (Side* side : {&connection.inside, &connection.outside}) {
    if (side->watched != 0) watch_.remove(side->fd.get());
  }
  connections_.remove_if([&](const auto& one) { return one.get() == &connection; });
}

void Relay::reset(Connection& connection) {
  reset_at_close(connection.inside.fd.get());
  reset_at_close(connection.outside.fd.get());
  drop(connection);
}

// A listening socket that is shut down for reading stops to listen and keeps its address: the kernel answers with a
// reset, also to what waits to be accepted (inet_shutdown, Linux 5.10 to 6.1).
void Relay::stop_listening() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (!is_listening_[i]) continue;
    watch_.remove(listeners_[i].get());
    shutdown(listeners_[i].get(), SHUT_RD);
    is_listening_[i] = false;
  }
  while (!connections_.empty()) {
    ++totals_[connections_.front()->destination].cut;
    reset(*connections_.front());
  }
}

// An address that a step took for itself meanwhile stays its own; it is tried again at the next call.
void Relay::listen_again() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (is_listening_[i] || listen(listeners_[i].get(), kBacklog) != 0) continue;
    watch_.add(listeners_[i].get(), EPOLLIN, [this, i](std::uint32_t) { accept_all(i); });
    is_listening_[i] = true;
  }
}

void Relay::set_line(Line line) {
  return line == Line::dead ? stop_listening() : listen_again();
}

void Relay::tick(Instant now) {
  std::vector<Connection*> late;
  for (const auto& connection : connections_) {
    if (!connection->is_connected && now - connection->started > kPatience) late.push_back(connection.get());
  }
  for (Connection* connection : late) {
    totals_[connection->destination].unreachable = true;
    reset_at_close(connection->inside.fd.get());
    drop(*connection);
  }
}

}  // namespace stella::sandbox
