// SPDX-License-Identifier: Apache-2.0
#include "appliance/http/connections.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <memory>

namespace stella::http {

Connection* Connections::add(int fd) {
  auto made = std::make_unique<Connection>(fd);
  const std::lock_guard lock(mutex_);
  all_.insert(made.get());
  return made.release();
}

void Connections::remove(Connection* connection) {
  const std::unique_ptr<Connection> owned(connection);
  const std::lock_guard lock(mutex_);
  all_.erase(connection);
}

void Connections::enter(Connection* connection, Phase phase) {
  if (connection == nullptr) return;
  const std::lock_guard lock(mutex_);
  connection->phase_ = phase;
  connection->since_ = std::chrono::steady_clock::now();
}

std::chrono::seconds Connections::allowed(Phase phase) const noexcept {
  switch (phase) {
    case Phase::head:
      return limits_.head;
    case Phase::body:
      return limits_.body;
    case Phase::idle:
      return limits_.idle + limits_.head;
    case Phase::answer:
    case Phase::stream:
      break;
  }
  return limits_.answer;
}

// Under the lock the socket cannot be closed: the library tells of the end of a connection before it closes it.
void Connections::sweep(std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const Connection* one : all_) {
    if (one->phase_ != Phase::stream && now - one->since_ > allowed(one->phase_)) ::shutdown(one->fd_, SHUT_RDWR);
  }
}

bool Connections::any_busy() {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(
      all_, [](const Connection* one) { return one->phase_ != Phase::head && one->phase_ != Phase::idle; });
}

}  // namespace stella::http
