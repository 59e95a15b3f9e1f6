// SPDX-License-Identifier: Apache-2.0
// The loop of one step's supervisor: descriptors and what to do when they have something. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "bundles/files/fd.hpp"

namespace stella::sandbox {

class Watch {
 public:
  Watch();
  using Action = std::function<void(std::uint32_t events)>;
  // events as epoll's (level-triggered). The descriptor stays the caller's and must be removed before it is closed.
  void add(int fd, std::uint32_t events, Action action);
  void change(int fd, std::uint32_t events);
  void remove(int fd);
  // Waits at most that long and acts once for each descriptor that is ready; an action may remove any descriptor.
  void turn(std::chrono::milliseconds at_most);

 private:
  files::Fd epoll_;
  std::map<int, std::shared_ptr<Action>> actions_;
};

}  // namespace stella::sandbox
