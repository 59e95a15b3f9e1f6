// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/serve.hpp"

#include <fmt/format.h>
#include <signal.h>

#include "appliance/console/console.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGrace{10000};

Routes all_routes() {
  Routes routes;
  add_health_routes(routes);
  add_metrics_routes(routes);
  add_login_routes(routes);
  add_run_routes(routes);
  return routes;
}

// SIGTERM and SIGINT are waited for, not handled; the server's threads inherit that.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  Signals(const Signals&) = delete;
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  // True when one came.
  [[nodiscard]] bool wait(std::chrono::milliseconds longest) const {
    const timespec time{longest.count() / 1000, (longest.count() % 1000) * 1000000};
    return ::sigtimedwait(&set_, nullptr, &time) > 0;
  }

 private:
  sigset_t set_{}, before_{};
};

struct Due {
  Chore chore;
  steady_clock::time_point next;
};

void do_chores(std::vector<Due>& all, steady_clock::time_point now, const Serving& serving) {
  for (Due& one : all) {
    if (now < one.next) continue;
    one.next = now + one.chore.every;
    try {
      one.chore.act();
    } catch (const fault::Error& error) {
      if (serving.on_trouble)
        serving.on_trouble(fmt::format("{}: {}: {}", one.chore.name, fault::info(error.code()).name, error.what()));
    }
  }
}

}  // namespace

void serve(const files::Home& home, const clock::Clock& clock, const Serving& serving) {
  const Signals signals;
  http::Listener listener = http::listen_on(serving.address);
  Office office(home, clock, listener.address);
  Console console(office, all_routes());
  http::Server server(std::move(listener), console);
  if (serving.on_ready) serving.on_ready(server.address());
  std::vector<Due> due;
  for (auto& some : {chores(home, clock), publishing_chores(office, serving)}) {
    for (const Chore& chore : some) due.push_back({chore, steady_clock::now()});
  }
  while (!signals.wait(std::chrono::milliseconds(500))) {
    const auto now = steady_clock::now();
    server.sweep(now);
    do_chores(due, now, serving);
  }
  server.stop(kGrace);
}

}  // namespace stella::console
