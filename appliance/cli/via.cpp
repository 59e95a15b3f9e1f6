// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/via.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/access/store.hpp"
#include "appliance/journal/via.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

// As site::operator_name says it of whoever sits here.
std::string name_of(const files::Home& home, const std::string& tenant, const std::string& user) {
  const auto applied = site::load_applied(home);
  const site::Tenant* found = applied ? applied->policy.find_tenant(tenant) : nullptr;
  if (found != nullptr) {
    const auto one = std::ranges::find(found->operators, user, &site::Operator::user);
    if (one != found->operators.end()) return one->name;
  }
  return "unlisted:" + user;
}

}  // namespace

// One that was revoked since is told all the same: it asked.
canon::Json via_here(Invocation& call, const std::string& tenant) {
  if (const auto id = call.value("--via")) {
    const auto tokens = access::load_tokens(call.home());
    const auto token = std::ranges::find(tokens, *id, &access::Token::id);
    if (token == tokens.end())
      throw fault::Error(fault::Code::access_denied, "token",
                         fmt::format("there is no token {}", canon::printable(*id, 40)), "--via",
                         "It is for `stella serve`: leave it out.");
    return journal::via_token(token->id, token->tenant, name_of(call.home(), tenant, token->made_by), token->holder);
  }
  if (const auto uid = site::acted_for()) return journal::via_peer(*uid, site::user_of(*uid));
  return {};
}

}  // namespace stella::cli
