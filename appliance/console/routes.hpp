// SPDX-License-Identifier: Apache-2.0
// The table of routes. Adding one is a line in an add_*_routes function:
//   routes.add({.method = "GET", .pattern = "/api/runs/{id}", .need = Need::read, .act = show_run});
// Filled once, before the server starts; then read by any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/token.hpp"
#include "appliance/http/server.hpp"
#include "bundles/clock/time.hpp"

namespace stella::console {

class Desk;

// Who asks. What they see is their tenant's; the home's owner sees all.
struct Principal {
  std::string name;                   // token 0123456789ab, or the owner
  std::optional<std::string> tenant;  // nothing: all
  access::Scopes scopes;
  std::string token = {};   // its id; empty: the owner
  std::string cookie = {};  // of a browser that logged in; empty otherwise
  std::string pass = {};    // by what they got in, for is_good_still (guard.hpp): no secret but the cookie
  [[nodiscard]] bool may_see(const std::string& of_tenant) const { return !tenant || *tenant == of_tenant; }
};

struct Visit {
  const http::Request& request;
  std::map<std::string, std::string> params;  // of the pattern, decoded
  const Principal& who;
  clock::Time now;
  [[nodiscard]] std::string param(const std::string& name) const { return params.at(name); }
  // Of the query; ERR_USAGE when it comes twice.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const {
    return http::find_pair(request.target.query, name);
  }
  // A whole number of the query within bounds, or `otherwise`; ERR_USAGE reason `number`.
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t max) const;
};

using Act = std::function<http::Response(Desk&, const Visit&)>;
enum class Need { open, read, run, approve };  // open: nobody is asked who they are

struct Route {
  std::string method, pattern;  // {name} stands for one segment
  Need need = Need::read;
  Act act;
  std::size_t max_body = 0;
  http::Where where = http::Where::worker;
  bool is_page = false;         // for people: who is not logged in is led to the login
  bool ends_by_itself = false;  // its stream looks itself whether the visitor may still read
};

struct Match {
  const Route* route = nullptr;  // null: none
  std::map<std::string, std::string> params;
  std::vector<std::string> allowed;  // the methods of the path, when another one was asked for
};

class Routes {
 public:
  void add(Route route);
  // HEAD is answered as GET.
  [[nodiscard]] Match find(const std::string& method, const std::vector<std::string>& segments) const;
  [[nodiscard]] const std::vector<Route>& all() const noexcept { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;
};

void add_health_routes(Routes& routes);
void add_metrics_routes(Routes& routes);
void add_login_routes(Routes& routes);
void add_run_routes(Routes& routes);
void add_log_routes(Routes& routes);
void add_file_routes(Routes& routes);
void add_stream_routes(Routes& routes);
void add_action_routes(Routes& routes);
void add_page_routes(Routes& routes);
void add_page_log_routes(Routes& routes);
void add_page_act_routes(Routes& routes);

}  // namespace stella::console
