// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/guard.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "appliance/console/answer.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using access::Scope;

bool is_our_host(const std::string& host, const http::Address& address) {
  const std::array names = {"127.0.0.1", "localhost", "[::1]"};
  return std::ranges::any_of(names, [&](const char* name) {
    return host == fmt::format("{}:{}", name, address.port) || (address.port == 80 && host == name);
  });
}

std::optional<std::string> bearer_of(const http::Request& request) {
  const auto header = request.header("authorization");
  if (!header) return std::nullopt;
  const auto space = header->find(' ');
  std::string scheme = header->substr(0, space);
  std::ranges::transform(scheme, scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (scheme != "bearer" || space == std::string::npos) throw Denied("token", "the Authorization is no Bearer token");
  return header->substr(space + 1);
}

Principal principal_of(const std::optional<access::Token>& token, clock::Time now) {
  if (!token) throw Denied("token", "there is no such token");
  if (token->revoked) throw Denied("token", fmt::format("token {} was revoked", token->id));
  if (!token->is_good_at(now)) throw Denied("token", fmt::format("token {} has expired", token->id));
  return {.name = "token " + token->id,
          .tenant = token->tenant,
          .scopes = token->scopes,
          .token = token->id,
          .pass = "token " + token->id};
}

Principal of_session(Office& office, const std::string& cookie, clock::Time now) {
  const auto session = office.sessions.find(cookie, now);
  if (!session) throw Denied("token", "the session has ended", "Log in again with a token.");
  Principal who = principal_of(office.keyring.find_id(session->token_id), now);
  who.cookie = cookie;
  who.pass = "session " + cookie;
  return who;
}

uid_t owner_of(const files::Home& home) {
  struct stat found {};
  if (::stat(home.path().c_str(), &found) != 0) throw fault::system_error(errno, "looking at", home.path());
  return found.st_uid;
}

}  // namespace

std::string cookie_name(const http::Address& address) {
  return fmt::format("stella-session-{}", address.port);  // cookies do not tell ports apart
}

void check_site(const http::Request& request, const http::Address& address) {
  const auto origin = request.header("origin");
  if (address.is_unix()) {  // no browser gets here by itself
    if (origin) throw Denied("origin", "a Unix socket is no origin");
    return;
  }
  const auto host = request.header("host");
  if (!host || !is_our_host(*host, address))
    throw Denied("host", "the Host is not this server's",
                 fmt::format("Open http://127.0.0.1:{} or http://localhost:{}.", address.port, address.port));
  if (!origin) return;
  const bool same =
      origin->starts_with("http://") && is_our_host(origin->substr(7), address) && origin->substr(7) == *host;
  if (!same) throw Denied("origin", "another site sent this request", "Use the console's own pages.");
}

Principal identify(Office& office, const http::Request& request, clock::Time now) {
  if (const auto bearer = bearer_of(request)) return principal_of(office.keyring.find(*bearer), now);
  if (request.peer && *request.peer == owner_of(office.home))
    return {.name = "the home's owner",
            .tenant = std::nullopt,
            .scopes = {Scope::read, Scope::run, Scope::approve},
            .pass = fmt::format("peer {}", *request.peer)};
  const auto cookies = request.header("cookie");
  const auto cookie = cookies ? http::find_cookie(*cookies, cookie_name(office.address)) : std::nullopt;
  if (!cookie) throw Denied("token", "a token is needed");
  return of_session(office, *cookie, now);
}

bool is_good_still(Office& office, const std::string& pass, clock::Time now) {
  const auto is = [&](std::string_view kind) { return pass.starts_with(kind); };
  try {
    if (is("peer ")) return pass == fmt::format("peer {}", owner_of(office.home));
    const Principal who = is("token ") ? principal_of(office.keyring.find_id(pass.substr(6)), now)
                                       : of_session(office, is("session ") ? pass.substr(8) : "", now);
    require_scope(who, Need::read);
    return true;
  } catch (const Denied&) {
    return false;
  }
}

void require_scope(const Principal& who, Need need) {
  if (need == Need::open) return;
  const Scope scope = need == Need::read ? Scope::read : need == Need::run ? Scope::run : Scope::approve;
  if (!who.scopes.contains(scope))
    throw Denied("scope", fmt::format("this needs a token with the scope {}", access::name_of(scope)),
                 fmt::format("Make one with --scopes {}.", access::name_of(scope)));
}

std::string form_field(const http::Request& request, std::string_view name) {
  const auto type = request.header("content-type");
  if (!type) return {};
  if (http::media_type(*type) == "application/x-www-form-urlencoded")
    return http::find_pair(http::parse_form(request.body), name).value_or("");
  if (http::media_type(*type) != "multipart/form-data") return {};
  for (const http::Part& part : http::parse_multipart(*type, request.body)) {
    if (part.name == name) return std::string(part.bytes);
  }
  return {};
}

void require_form_token(Office& office, const http::Request& request, const Principal& who) {
  if (request.method != "POST" || who.cookie.empty()) return;
  if (!request.header("origin")) throw Denied("form", "a browser's request names its origin");
  const std::string given = request.header("x-stella-form").value_or(form_field(request, "form"));
  if (!office.sessions.is_form_token(who.cookie, given))
    throw Denied("form", "the form was not made by this console", "Load the page again and send its form.");
}

}  // namespace stella::console
