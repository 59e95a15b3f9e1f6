// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "appliance/http/exchange.hpp"
#include "bundles/fault/error.hpp"

namespace stella::http {
namespace {

using std::chrono::steady_clock;

void* begin_exchange(void* context, const char* target, MHD_Connection*) {
  try {
    return std::make_unique<Exchange>(*static_cast<Server::State*>(context), target).release();
  } catch (...) {
    return nullptr;
  }
}

MHD_Result step_exchange(void*, MHD_Connection* connection, const char*, const char* method, const char*,
                         const char* data, std::size_t* size, void** exchange) {
  if (*exchange == nullptr) return MHD_NO;
  try {
    return static_cast<Exchange*>(*exchange)->step(connection, method, data, size);
  } catch (...) {  // no memory: the connection is closed
    return MHD_NO;
  }
}

void end_exchange(void* context, MHD_Connection* connection, void** exchange, MHD_RequestTerminationCode) {
  const std::unique_ptr<Exchange> owned(static_cast<Exchange*>(*exchange));
  *exchange = nullptr;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info != nullptr && info->socket_context != nullptr)
    static_cast<Server::State*>(context)->connections.enter(static_cast<Connection*>(info->socket_context),
                                                            Phase::idle);
}

void note_connection(void* context, MHD_Connection* connection, void** mine, MHD_ConnectionNotificationCode code) {
  auto& connections = static_cast<Server::State*>(context)->connections;
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    connections.remove(static_cast<Connection*>(*mine));
    *mine = nullptr;
    return;
  }
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  *mine = connections.add(info == nullptr ? -1 : info->connect_fd);
}

// The target is parsed by us, from the raw text: the library decodes nothing.
std::size_t leave_escaped(void*, MHD_Connection*, char* text) {
  return std::char_traits<char>::length(text);
}

// Each viewer is a descriptor, and few systems give a process more than 1,024 unasked.
void raise_descriptor_limit(unsigned connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections + 512;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min<rlim_t>(wanted, limit.rlim_max);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Server::State::State(Listener listener, Handler& handler_, const Limits& limits_)
    : address(listener.address),
      handler(&handler_),
      limits(limits_),
      connections(limits_),
      pool(kWorkers, limits_.queue) {
  start(std::move(listener.fd));
}

void Server::State::start(files::Fd listening) {
  raise_descriptor_limit(limits.connections);
  daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, nullptr, nullptr, step_exchange, this,
      MHD_OPTION_LISTEN_SOCKET, listening.get(), MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, this,
      MHD_OPTION_NOTIFY_COMPLETED, end_exchange, this, MHD_OPTION_NOTIFY_CONNECTION, note_connection, this,
      MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, nullptr, MHD_OPTION_CONNECTION_LIMIT, limits.connections,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.head_bytes, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(limits.idle.count()), MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
  if (daemon == nullptr) throw fault::Error(fault::Code::internal, "http", "the HTTP server could not be started");
  (void)listening.release();  // the library closes it
}

void Server::State::stop(std::chrono::milliseconds grace) {
  if (daemon == nullptr) return;
  draining = true;
  late = grace <= std::chrono::milliseconds(0);
  const auto until = steady_clock::now() + grace;
  if (const int listening = MHD_quiesce_daemon(daemon); listening >= 0) {
    const files::Fd closed(listening);
    // Before it is closed: while somebody listens on it, nobody else takes the path.
    if (address.is_unix()) (void)::unlink(address.path.c_str());
  }
  while (connections.any_busy() && steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  late = true;
  pool.stop();  // a suspended request is resumed by its worker: none is left after this
  // A stream that fell asleep between two looks is found by the next, and what was answered last goes out: a client
  // that does not read it has a second.
  for (int i = 0; i < 50 || (connections.any_busy() && i < 500); ++i) {
    sleepers.cancel_all();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  MHD_stop_daemon(daemon);
  daemon = nullptr;
}

Server::Server(Listener listener, Handler& handler, const Limits& limits)
    : state_(std::make_unique<State>(std::move(listener), handler, limits)) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

const Address& Server::address() const noexcept {
  return state_->address;
}

void Server::sweep(steady_clock::time_point now) {
  state_->connections.sweep(now);
}

void Server::stop(std::chrono::milliseconds grace) {
  state_->stop(grace);
}

}  // namespace stella::http
