// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/watch.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

#include "bundles/fault/error.hpp"

namespace stella::sandbox {

Watch::Watch() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw fault::system_error(errno, "watching", "a step");
}

void Watch::add(int fd, std::uint32_t events, Action action) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw fault::system_error(errno, "watching", "a step");
  actions_[fd] = std::make_shared<Action>(std::move(action));
}

void Watch::change(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Watch::remove(int fd) {
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  actions_.erase(fd);
}

void Watch::turn(std::chrono::milliseconds at_most) {
  std::array<epoll_event, 64> ready{};
  const int many =
      epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), static_cast<int>(at_most.count()));
  for (int i = 0; i < many; ++i) {
    const auto found = actions_.find(ready[static_cast<std::size_t>(i)].data.fd);
    if (found == actions_.end()) continue;  // removed by an action of this turn
    const auto action = found->second;      // and this one may remove itself
    (*action)(ready[static_cast<std::size_t>(i)].events);
  }
}

}  // namespace stella::sandbox
