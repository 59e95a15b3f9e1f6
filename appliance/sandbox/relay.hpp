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
  [[nodiscard]] std::vector<Relayed> totals() const { return totals_; }

 private:
  struct Connection;
  void accept_all(std::size_t destination);
  void start(std::size_t destination, files::Fd inside);
  void act(Connection& connection);
  void connected(Connection& connection);
  void drop(Connection& connection);
  Watch& watch_;
  std::vector<Endpoint> destinations_;
  std::vector<files::Fd> listeners_;
  std::vector<Relayed> totals_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::vector<char> buffer_;
};

}  // namespace stella::sandbox
