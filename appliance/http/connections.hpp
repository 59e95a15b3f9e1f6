// SPDX-License-Identifier: Apache-2.0
// The open connections and how long each may take for what it does; only this room includes it. The library's own
// timeout counts silence: a client that sends a byte now and then would stay for ever. Any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <set>

#include "appliance/http/server.hpp"

namespace stella::http {

enum class Phase { head, body, answer, stream, idle };

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

 private:
  friend class Connections;
  int fd_;
  Phase phase_ = Phase::head;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

class Connections {
 public:
  explicit Connections(const Limits& limits) : limits_(limits) {}
  Connection* add(int fd);  // ours until remove()
  void remove(Connection* connection);
  void enter(Connection* connection, Phase phase);
  // Shuts down the sockets of those that are late: the library then sees the end of the connection.
  void sweep(std::chrono::steady_clock::time_point now);
  [[nodiscard]] bool any_busy();  // in body or answer

 private:
  [[nodiscard]] std::chrono::seconds allowed(Phase phase) const noexcept;
  Limits limits_;
  std::mutex mutex_;
  std::set<Connection*> all_;
};

}  // namespace stella::http
