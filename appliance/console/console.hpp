// SPDX-License-Identifier: Apache-2.0
// What stands behind the server: finds the route, asks who it is, lets the desk answer. begin() and refuse() are called
// by the server's thread, answer() by its workers.
#pragma once

#include <vector>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/http/server.hpp"

namespace stella::console {

class Console : public http::Handler {
 public:
  Console(Office& office, Routes routes);
  std::variant<http::Plan, http::Response> begin(const http::Request& head) override;
  http::Response answer(const http::Request& request, std::size_t worker) override;
  http::Response refuse(int status, const std::exception_ptr& why) override;

 private:
  [[nodiscard]] http::Response turn_away(const http::Request& request, const Match& match, const Denied& denied);
  [[nodiscard]] http::Response act(Desk& desk, const Match& match, const Visit& visit) const;
  Office* office_;
  Routes routes_;
  std::vector<Desk> desks_;  // by worker
};

}  // namespace stella::console
