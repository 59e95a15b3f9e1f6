// SPDX-License-Identifier: Apache-2.0
// Carries bytes between a listener inside a step's network and the real destination outside. At most 256 connections of
// one step are open at a time; a further one is reset. A destination that does not answer gives a reset, and is told as
// unreachable, never as blocked. One step, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "appliance/sandbox/attempts.hpp"
#include "appliance/sandbox/step.hpp"
#include "appliance/sandbox/watch.hpp"
#include "bundles/files/fd.hpp"

namespace stella::sandbox {

class Relay {
 public:
  // `listeners` in the order of `destinations`.
  Relay(Watch& watch, std::vector<Endpoint> destinations, std::vector<files::Fd> listeners);
  ~Relay();
  // Gives up on destinations that have not answered within ten seconds.
  void tick(Instant now);
  // Dead: every connection is reset and a new one is refused by the kernel, as if nobody listened. Alive: as before.
  // Asking again for what is there costs nothing.
  enum class Line { alive, dead };
  void set_line(Line line);
  [[nodiscard]] std::vector<Relayed> totals() const { return totals_; }

 private:
  struct Connection;
  void accept_all(std::size_t destination);
  void start(std::size_t destination, files::Fd inside);
  void act(Connection& connection);
  void connected(Connection& connection);
  void drop(Connection& connection);
  void reset(Connection& connection);
  void stop_listening();
  void listen_again();
  Watch& watch_;
  std::vector<Endpoint> destinations_;
  std::vector<files::Fd> listeners_;
  std::vector<bool> is_listening_;
  std::vector<Relayed> totals_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::vector<char> buffer_;
};

}  // namespace stella::sandbox
