// SPDX-License-Identifier: Apache-2.0
// A browser hands in a token once and gets a session: HttpOnly, SameSite=Strict, dead as soon as its token is.
#include <fmt/format.h>

#include <algorithm>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/page/frame.hpp"

namespace stella::console {
namespace {

constexpr std::size_t kMaxForm = 8 << 10;

// Only to our own pages: a plain absolute path. What else is asked for leads to the list.
std::string next_of(const std::string& wanted) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/%";
  const bool good = wanted.starts_with("/console/") && wanted.find_first_not_of(kPlain) == std::string::npos &&
                    wanted.find("//") == std::string::npos && wanted.size() <= 500;
  return good ? wanted : "/console/packs/runs";
}

http::Response page(int status, const std::string& next, std::string_view said) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = page::login_page(next, std::string(said));
  return response;
}

http::Response ask(Desk&, const Visit& visit) {
  return page(200, next_of(visit.query("next").value_or("")), {});
}

std::string cookie(Desk& desk, std::string_view value, std::string_view more) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}", cookie_name(desk.office().address), value, more);
}

http::Response log_in(Desk& desk, const Visit& visit) {
  const std::string next = next_of(form_field(visit.request, "next"));
  std::string given = form_field(visit.request, "token");
  while (!given.empty() && (given.back() == '\n' || given.back() == '\r' || given.back() == ' ')) given.pop_back();
  const auto token = desk.office().keyring.find(given);
  if (!token || !token->is_good_at(visit.now))
    return page(403, next, "This token is not good: unknown, expired or revoked.");
  http::Response response = see_other(next);
  response.headers.emplace_back("Set-Cookie",
                                cookie(desk, desk.office().sessions.begin(token->id, token->expires, visit.now), ""));
  return response;
}

http::Response log_out(Desk& desk, const Visit& visit) {
  if (const auto session = desk.office().sessions.find(visit.who.cookie, visit.now))
    desk.office().sessions.end(*session);
  http::Response response = see_other("/console/login");
  response.headers.emplace_back("Set-Cookie", cookie(desk, "", "; Max-Age=0"));
  return response;
}

// What a page's script sends along with what it does; for whoever logs in with a script.
http::Response who(Desk& desk, const Visit& visit) {
  canon::Json scopes = canon::Json::array();
  for (const auto scope : visit.who.scopes) scopes.push_back(access::name_of(scope));
  canon::Json object = {
      {"name", visit.who.name}, {"tenant", canon::Json()}, {"scopes", scopes}, {"form", canon::Json()}};
  if (visit.who.tenant) object["tenant"] = *visit.who.tenant;
  if (!visit.who.cookie.empty()) object["form"] = desk.office().sessions.form_token(visit.who.cookie);
  return json_response(object);
}

}  // namespace

void add_login_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/console/login", .need = Need::open, .act = ask});
  routes.add({.method = "POST", .pattern = "/console/login", .need = Need::open, .act = log_in, .max_body = kMaxForm});
  routes.add({.method = "POST", .pattern = "/console/logout", .act = log_out, .max_body = kMaxForm});
  routes.add({.method = "GET", .pattern = "/api/session", .act = who});
}

}  // namespace stella::console
