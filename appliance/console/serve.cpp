// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/serve.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "appliance/console/console.hpp"
#include "appliance/console/verb.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

constexpr std::chrono::milliseconds kGrace{10000};
constexpr std::chrono::seconds kSessionsEvery{5};

Routes all_routes() {
  Routes routes;
  add_health_routes(routes);
  add_metrics_routes(routes);
  add_login_routes(routes);
  add_run_routes(routes);
  add_log_routes(routes);
  add_file_routes(routes);
  add_stream_routes(routes);
  add_action_routes(routes);
  add_page_routes(routes);
  add_page_log_routes(routes);
  add_page_act_routes(routes);
  return routes;
}

// What keeps sessions from working is told once; tokens and sockets go on.
chores::Chore look_at_sessions(Office& office) {
  return {
      "sessions", kSessionsEvery, [&office, told = false]() mutable {
        try {
          office.sessions.check();
          told = false;
        } catch (const fault::Error& error) {
          if (std::exchange(told, true)) return;
          throw std::runtime_error(fmt::format("{}: {} {}", fault::info(error.code()).name, error.what(), error.fix()));
        }
      }};
}

std::vector<chores::Chore> chores_beside(Office& office, const Serving& serving) {
  auto all = publishing_chores(office, serving);
  all.push_back(look_at_sessions(office));
  return all;
}

}  // namespace

struct Server::Parts {
  Parts(const files::Home& home, const clock::Clock& clock, const Serving& serving)
      : listener(http::listen_on(serving.address)),
        office(home, clock, listener.address),
        console(office, all_routes()),
        server(std::move(listener), console),
        beside(chores_beside(office, serving), serving.on_trouble) {}
  http::Listener listener;
  Office office;
  Console console;
  http::Server server;
  chores::List beside;
};

Server::Server(const files::Home& home, const clock::Clock& clock, const Serving& serving)
    : parts_(std::make_unique<Parts>(home, clock, serving)) {
  if (serving.on_ready) serving.on_ready(parts_->server.address());
}
Server::~Server() = default;

void Server::turn(chores::Moment now) {
  parts_->server.sweep(now);
  parts_->beside.turn(now);
}

void Server::close() {
  parts_->office.hub.close();
  end_verbs_by(std::chrono::steady_clock::now() + kGrace);
  parts_->server.stop(kGrace);
}

}  // namespace stella::console
