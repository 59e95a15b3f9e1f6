// SPDX-License-Identifier: Apache-2.0
// token new, list, revoke: who may read and act through `stella serve`. No token opens a gate.
#include "appliance/cli/token.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/access/store.hpp"
#include "appliance/access/token.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxHolder = 100;

// A tenant that the policy does not know would never see a run.
void require_known(Invocation& call, const std::string& tenant) {
  const auto applied = site::load_applied(call.home());
  if (!applied || applied->policy.find_tenant(tenant) != nullptr) return;
  std::vector<std::string> names;
  for (const auto& one : applied->policy.tenants) names.push_back(one.name);
  const auto guess = canon::nearest(tenant, names);
  throw Error(
      Code::usage, "tenant",
      fmt::format("the site has no tenant {}{}", tenant, guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
      "--tenant");
}

// Compared with the names of approvers: it is written as the policy writes it.
std::string holder_of(Invocation& call) {
  const std::string holder = call.value("--for").value_or("");
  if (holder.size() <= kMaxHolder && canon::printable(holder) == holder) return holder;
  throw Error(Code::usage, "for", fmt::format("a name is plain UTF-8 text of at most {} bytes", kMaxHolder), "--for");
}

std::optional<clock::Duration> validity_of(Invocation& call) {
  const auto expires = call.value("--expires");
  if (!expires) return std::nullopt;
  const clock::Duration valid_for = clock::parse_duration(*expires, Code::usage, "--expires");
  if (valid_for > clock::Duration::zero()) return valid_for;
  throw Error(Code::usage, "expires", "a token that has expired already is of no use", "--expires",
              "Give it some time, such as `--expires 30d`.");
}

int new_token(Invocation& call) {
  access::Wish wish;
  wish.tenant = call.tenant();
  require_known(call, wish.tenant);
  wish.scopes = access::parse_scopes(call.value("--scopes").value_or("packs.read"));
  wish.made_by = site::operator_user();
  wish.holder = holder_of(call);
  wish.valid_for = validity_of(call);
  const clock::Time now = call.clock().now();
  const access::Made made = access::make_token(wish, now);
  access::add_token(call.home(), made.token, now);
  Output& out = call.out();
  out.say(made.text);
  out.note(fmt::format("token {} of tenant {} for {}, {}; it is not shown again", made.token.id, made.token.tenant,
                       access::names_of(made.token.scopes),
                       made.token.expires ? "until " + clock::format(*made.token.expires) : "until it is revoked"));
  canon::Json object = access::to_public_json(made.token);
  object["token"] = made.text;
  out.result(object);
  return 0;
}

std::string state_of(const access::Token& token, clock::Time now) {
  return token.revoked ? "revoked" : token.is_good_at(now) ? "good" : "expired";
}

int list_tokens(Invocation& call) {
  const clock::Time now = call.clock().now();
  std::vector<std::vector<std::string>> rows;
  canon::Json all = canon::Json::array();
  for (const access::Token& token : access::load_tokens(call.home())) {
    rows.push_back({token.id, state_of(token, now), token.tenant, access::names_of(token.scopes),
                    clock::format(token.created), token.expires ? clock::format(*token.expires) : "-",
                    canon::printable(token.holder, 60), canon::printable(token.made_by, 60)});
    canon::Json object = access::to_public_json(token);
    object["state"] = state_of(token, now);
    call.out().event(object);
    all.push_back(std::move(object));
  }
  call.out().table({"TOKEN", "STATE", "TENANT", "SCOPES", "MADE", "EXPIRES", "FOR", "BY"}, rows);
  call.out().result({{"tokens", all}});
  return 0;
}

int revoke_token(Invocation& call) {
  const access::Token token = access::revoke_token(call.home(), call.need("ID"), call.clock().now());
  call.out().say(fmt::format("token {} is revoked since {}", token.id, clock::format(*token.revoked)));
  call.out().result(access::to_public_json(token));
  return 0;
}

}  // namespace

std::vector<Command> token_commands() {
  return {
      {{"token", "new"},
       "a bearer token for the HTTP API, shown once; it never opens a gate",
       "stella token new --tenant plant-7 --scopes packs.read,packs.run --expires 30d",
       {},
       {{"--scopes", "LIST", "some of packs.read packs.run packs.approve (default packs.read)", false, false, false},
        {"--for", "NAME", "whose it is: runs that it asks for name them, and they may not approve those", false, false,
         false},
        {"--expires", "DURATION", "how long it is good (default: until it is revoked)", false, false, false}},
       new_token},
      {{"token", "list"}, "the tokens of this home, never their text", "stella token list", {}, {}, list_tokens},
      {{"token", "revoke"},
       "end a token at once",
       "stella token revoke 0123456789ab",
       {{"ID", "the token's id", true, false}},
       {},
       revoke_token}};
}

}  // namespace stella::cli
