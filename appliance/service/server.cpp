// SPDX-License-Identifier: Apache-2.0
#include "appliance/service/server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <list>

#include "appliance/service/listener.hpp"
#include "appliance/service/wire.hpp"
#include "bundles/fault/error.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::service {
namespace {

using fault::Code;
using fault::Error;
using Clock = Worker::Clock;

constexpr int kLookAtPolicy = 1000, kTurn = 500;  // milliseconds

class Loop {
 public:
  Loop(const files::Home& home, const Serving& serving, int listener)
      : home_(&home), serving_(&serving), peers_(home, serving.log), listener_(listener) {}

  void run(const files::Fd& stop) {
    while (!turn(stop.get())) {
    }
    listener_ = -1;
    is_stopping_ = true;
    for (Worker& worker : workers_) worker.stop(Clock::now());
    // Beside the loop: nobody whose command ends waits for what else this process closes.
    auto closed = serving_->stopping ? std::async(std::launch::async, serving_->stopping) : std::future<void>();
    forget_ended();
    while (!workers_.empty()) (void)turn(-1);
    if (closed.valid()) closed.get();
  }

 private:
  // Waits for something and does it. True: it is time to stop.
  bool turn(int stop) {
    std::vector<pollfd> watched = {{stop, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Worker& worker : workers_) {
      watched.push_back({worker.socket(), POLLIN, 0});
      watched.push_back({worker.process(), POLLIN, 0});
    }
    if (::poll(watched.data(), watched.size(), wait_ms()) < 0 && errno != EINTR)
      throw fault::system_error(errno, "waiting at", serving_->socket);
    std::size_t at = 2;
    for (Worker& worker : workers_) {
      const bool spoke = watched[at].revents != 0, ended = watched[at + 1].revents != 0;
      at += 2;
      if (ended) worker.reap();
      if (spoke && !worker.is_over() && worker.socket() >= 0) worker.hear(home_->path(), Clock::now());
      worker.expire(Clock::now());
    }
    look_at_policy();
    forget_ended();
    if (serving_->turn && !is_stopping_) serving_->turn();
    if (watched[1].revents != 0) take_connection();
    return watched[0].revents != 0;
  }

  [[nodiscard]] int wait_ms() const {
    std::optional<Clock::time_point> first;
    for (const Worker& worker : workers_) {
      if (worker.deadline() && (!first || *worker.deadline() < *first)) first = worker.deadline();
    }
    const int longest = serving_->turn ? kTurn : kLookAtPolicy;
    if (workers_.empty()) return serving_->turn && !is_stopping_ ? longest : -1;
    if (!first) return longest;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest));
  }

  // Who works here may have been taken off it.
  void look_at_policy() {
    if (workers_.empty() || !peers_.policy_changed()) return;
    for (Worker& worker : workers_) {
      if (worker.is_over() || peers_.is_listed_still(worker.person())) continue;
      serving_->log(fmt::format("uid {} is no longer listed: its command ends", worker.person().uid));
      worker.send_away(Clock::now());
    }
  }

  void forget_ended() {
    workers_.remove_if([](const Worker& worker) { return worker.is_over(); });
  }

  void take_connection() {
    files::Fd socket(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;  // it was gone again, or descriptors are short: the next turn tries
    try {
      const uid_t uid = peer_uid(socket.get());
      require_room(uid);
      workers_.emplace_back(std::move(socket), peers_.admit(uid, Clock::now()), serving_->patience, Clock::now());
    } catch (const Error& error) {
      (void)send(socket.get(), text_of(Answer(error)));
    }
  }

  void require_room(uid_t uid) const {
    const auto same = std::ranges::count_if(workers_, [&](const Worker& worker) { return worker.person().uid == uid; });
    const bool crowded = workers_.size() >= serving_->limits.all;
    if (!crowded && static_cast<std::size_t>(same) < serving_->limits.each) return;
    throw Error(Code::serve_busy, "busy",
                crowded ? "the service has as many commands to do as it takes on"
                        : fmt::format("{} of your commands run already", same),
                {}, "Wait until one of them has ended; runs go on by themselves with --detach.");
  }

  const files::Home* home_;
  const Serving* serving_;
  Peers peers_;
  int listener_;
  bool is_stopping_ = false;
  std::list<Worker> workers_;
};

}  // namespace

void serve(const files::Home& home, const Serving& serving, const files::Fd& stop) {
  if (!site::is_service_home(home))
    throw Error(Code::home_unsafe, "personal",
                fmt::format("{} is a personal home: {} does not name it", home.path(), site::kServiceFile), home.path(),
                "docs/operations/service-home.md says how root makes it a service's.");
  const Listener listener(home, serving.socket, serving.group);
  if (serving.ready) serving.ready();
  Loop(home, serving, listener.get()).run(stop);
}

}  // namespace stella::service
