// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/serve.hpp"

#include "appliance/console/console.hpp"
#include "appliance/console/verb.hpp"

namespace stella::console {
namespace {

constexpr std::chrono::milliseconds kGrace{10000};

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

}  // namespace

struct Server::Parts {
  Parts(const files::Home& home, const clock::Clock& clock, const Serving& serving)
      : listener(http::listen_on(serving.address)),
        office(home, clock, listener.address),
        console(office, all_routes()),
        server(std::move(listener), console),
        publishing(publishing_chores(office, serving), serving.on_trouble) {}
  http::Listener listener;
  Office office;
  Console console;
  http::Server server;
  chores::List publishing;
};

Server::Server(const files::Home& home, const clock::Clock& clock, const Serving& serving)
    : parts_(std::make_unique<Parts>(home, clock, serving)) {
  if (serving.on_ready) serving.on_ready(parts_->server.address());
}
Server::~Server() = default;

void Server::turn(chores::Moment now) {
  parts_->server.sweep(now);
  parts_->publishing.turn(now);
}

void Server::close() {
  parts_->office.hub.close();
  end_verbs_by(std::chrono::steady_clock::now() + kGrace);
  parts_->server.stop(kGrace);
}

}  // namespace stella::console
