// SPDX-License-Identifier: Apache-2.0
// The HTTP server: libmicrohttpd with epoll on one thread for all connections, and two threads that compute answers, so
// that a slow one holds nobody up. This room alone knows the library.
//
// Limits: 1,200 connections, 32 KiB of headers each (431), 15 s for a head, 60 s for a body, 30 s without a byte; a
// request that is not taken at once waits in a queue of 256 (503). A viewer of a stream costs no thread.
#pragma once

#include <chrono>
#include <memory>
#include <variant>

#include "appliance/http/address.hpp"
#include "appliance/http/message.hpp"

namespace stella::http {

enum class Where { server_thread, worker };  // server_thread: it must be ready at once
struct Plan {
  Where where = Where::worker;
  std::size_t max_body = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // When the head was read, on the server's thread, quickly: how to go on, or a refusal before the body is read.
  virtual std::variant<Plan, Response> begin(const Request& head) = 0;
  // The answer. `worker` tells the threads apart, 0 is the server's own, then 1 and 2.
  virtual Response answer(const Request& request, std::size_t worker) = 0;
  // For what the server itself refuses: a bad target, a body that is too large, a full queue; and for what `answer`
  // threw.
  virtual Response refuse(int status, const std::exception_ptr& why) = 0;
};
inline constexpr std::size_t kWorkers = 2;

struct Limits {
  unsigned connections = 1200;
  std::size_t head_bytes = 32 << 10;
  std::chrono::seconds head{15}, body{60}, idle{30}, answer{600};
  std::size_t queue = 256;
};

class Server {
 public:
  // Serves from now on. `handler` outlives the server. Signals that the caller waits for must be blocked before.
  Server(Listener listener, Handler& handler, const Limits& limits = {});
  Server(const Server&) = delete;
  ~Server();  // stop() with no time to finish

  [[nodiscard]] const Address& address() const noexcept;
  // Cuts off who is too slow. To be called about once a second.
  void sweep(std::chrono::steady_clock::time_point now);
  // No new connections; waits until what was asked is answered, at most `grace`; then closes everything. Streams should
  // have been told to end before.
  void stop(std::chrono::milliseconds grace);

  struct State;  // of the room

 private:
  std::unique_ptr<State> state_;
};

}  // namespace stella::http
