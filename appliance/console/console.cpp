// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/trouble.hpp"
#include "appliance/console/watched.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

http::Response no_route(const Match& match) {
  if (match.allowed.empty())
    return error_response(Error(Code::file_not_found, "route", "there is nothing at this address", {},
                                "The addresses are in docs/formats/http.md."));
  http::Response response = error_response(
      Error(Code::usage, "method", fmt::format("this address takes {}", fmt::join(match.allowed, ", "))), 405);
  response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(match.allowed, ", ")));
  return response;
}

// The journal that it came from is not to be asked again.
bool is_fatal(const Error& error) {
  return error.code() == Code::journal_tampered || error.code() == Code::media_gone;
}

const Principal& nobody() {
  static const Principal one{.name = "nobody", .tenant = "", .scopes = {}};
  return one;
}

}  // namespace

Console::Console(Office& office, Routes routes) : office_(&office), routes_(std::move(routes)) {
  for (std::size_t i = 0; i <= http::kWorkers; ++i) desks_.emplace_back(office);
}

// A person whose session ended is led to the login; a program is told.
http::Response Console::turn_away(const http::Request& request, const Match& match, const Denied& denied) {
  if (denied.reason() == "token" && match.route != nullptr && match.route->is_page && request.method != "POST")
    return see_other("/console/login?next=" + http::escape_segment(request.target.path));
  return denied_response(denied);
}

std::variant<http::Plan, http::Response> Console::begin(const http::Request& head) {
  Match match;
  try {
    check_site(head, office_->address);
    match = routes_.find(head.method, head.target.segments);
    if (match.route == nullptr) return no_route(match);
    if (match.route->need != Need::open) {
      const clock::Time now = office_->clock->now();
      const Principal who = identify(*office_, head, now);
      try {
        require_scope(who, match.route->need);
      } catch (const Denied&) {
        if (!match.route->is_page) throw;
        return trouble_page(desks_.front(), {head, match.params, who, now}, std::current_exception());
      }
    }
  } catch (const Denied& denied) {
    return turn_away(head, match, denied);
  } catch (...) {
    return error_response(std::current_exception());
  }
  return http::Plan{match.route->where, match.route->max_body};
}

// People are told on a page of the console what went wrong there.
http::Response Console::act(Desk& desk, const Match& match, const Visit& visit) const {
  if (!match.route->is_page) return match.route->act(desk, visit);
  try {
    return match.route->act(desk, visit);
  } catch (const Error& error) {
    if (is_fatal(error)) desk.drop_journal();
    return trouble_page(desk, visit, std::current_exception());
  } catch (const std::exception&) {
    return trouble_page(desk, visit, std::current_exception());
  }
}

http::Response Console::answer(const http::Request& request, std::size_t worker) {
  const Match match = routes_.find(request.method, request.target.segments);
  const clock::Time now = office_->clock->now();
  Desk& desk = desks_.at(worker);
  try {
    if (match.route->need == Need::open) return match.route->act(desk, {request, match.params, nobody(), now});
    const Principal who = identify(*office_, request, now);
    require_scope(who, match.route->need);
    require_form_token(*office_, request, who);
    http::Response response = act(desk, match, {request, match.params, who, now});
    // What was asked for while the right was there, and took longer than it lasted, is kept back; what was done is
    // told.
    if (request.method != "POST" && !is_good_still(*office_, who.pass, office_->clock->now()))
      (void)identify(*office_, request, office_->clock->now());
    return match.route->ends_by_itself ? std::move(response) : watched(*office_, who, std::move(response));
  } catch (const Error& error) {
    if (is_fatal(error)) desk.drop_journal();
    throw;
  }
}

http::Response Console::refuse(int status, const std::exception_ptr& why) {
  return error_response(why, status);
}

}  // namespace stella::console
