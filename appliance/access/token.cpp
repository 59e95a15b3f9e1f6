// SPDX-License-Identifier: Apache-2.0
#include "appliance/access/token.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "bundles/canon/fields.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::access {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::string_view kPrefix = "stella-";
constexpr std::size_t kIdBytes = 6, kSecretBytes = 32;
constexpr std::array kScopes = {Scope::read, Scope::run, Scope::approve};

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::optional<Scope> scope_of(std::string_view name) {
  const auto found = std::ranges::find_if(kScopes, [&](Scope scope) { return name_of(scope) == name; });
  return found == kScopes.end() ? std::nullopt : std::optional(*found);
}

Json time_or_null(const std::optional<clock::Time>& time) {
  return time ? Json(clock::format_millis(*time)) : Json();
}

std::optional<clock::Time> maybe_time(canon::Fields& fields, const char* name, const std::string& at) {
  const Json& value = fields.any(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_string()) fields.fail("is no time", name);
  return clock::parse_time(value.get<std::string>(), Code::file_unsuitable, at);
}

}  // namespace

std::string_view name_of(Scope scope) noexcept {
  return scope == Scope::read ? "packs.read" : scope == Scope::run ? "packs.run" : "packs.approve";
}

Scopes parse_scopes(std::string_view list) {
  Scopes scopes;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    const std::string name = lower(list.substr(from, comma - from));
    const auto scope = scope_of(name);
    if (!scope) {
      const auto guess = canon::nearest(name, {"packs.read", "packs.run", "packs.approve"});
      throw Error(Code::usage, "scopes",
                  fmt::format("`{}` is no scope{}", canon::printable(name, 40),
                              guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
                  "--scopes", "Name some of packs.read, packs.run, packs.approve, with commas between.");
    }
    scopes.insert(*scope);
    from = comma + 1;
  }
  return scopes;
}

std::string names_of(const Scopes& scopes) {
  std::vector<std::string_view> names;
  for (const Scope scope : scopes) names.push_back(name_of(scope));
  return fmt::format("{}", fmt::join(names, ","));
}

Made make_token(const Wish& wish, clock::Time now) {
  Made made;
  made.token.id = canon::random_hex(kIdBytes);
  made.token.tenant = wish.tenant;
  made.token.made_by = wish.made_by;
  made.token.holder = wish.holder;
  made.token.scopes = wish.scopes;
  made.token.created = now;
  if (wish.valid_for) made.token.expires = now + *wish.valid_for;
  made.text = fmt::format("{}{}-{}", kPrefix, made.token.id, canon::random_hex(kSecretBytes));
  made.token.digest = canon::sha256(made.text);
  return made;
}

std::optional<std::string> id_in(std::string_view text) {
  if (text.size() != kPrefix.size() + 2 * kIdBytes + 1 + 2 * kSecretBytes || !text.starts_with(kPrefix))
    return std::nullopt;
  const std::string_view id = text.substr(kPrefix.size(), 2 * kIdBytes);
  const std::string_view rest = text.substr(kPrefix.size() + 2 * kIdBytes);
  if (!is_hex(id) || rest[0] != '-' || !is_hex(rest.substr(1))) return std::nullopt;
  return std::string(id);
}

bool fits(const Token& token, std::string_view text) {
  return locked::equal(token.digest.bytes, canon::sha256(text).bytes);
}

Json to_public_json(const Token& token) {
  Json scopes = Json::array();
  for (const Scope scope : token.scopes) scopes.push_back(name_of(scope));
  Json object = {{"id", token.id},
                 {"tenant", token.tenant},
                 {"scopes", std::move(scopes)},
                 {"created", clock::format_millis(token.created)},
                 {"expires", time_or_null(token.expires)},
                 {"revoked", time_or_null(token.revoked)},
                 {"madeBy", token.made_by}};
  if (!token.holder.empty()) object["for"] = token.holder;
  return object;
}

Json to_json(const Token& token) {
  Json object = to_public_json(token);
  object["digest"] = token.digest.tagged();
  return object;
}

Token from_json(const Json& object, const std::string& at) {
  canon::Fields fields(object, Code::file_unsuitable, "tokens", at);
  Token token;
  token.id = fields.text("id", 2 * kIdBytes);
  token.tenant = fields.text("tenant", 64);
  token.made_by = fields.text("madeBy", 1000);
  token.holder = fields.maybe_text("for", 200).value_or("");
  for (const std::string& name : fields.texts("scopes")) {
    const auto scope = scope_of(name);
    if (!scope) fields.fail("holds what is no scope", "scopes");
    token.scopes.insert(*scope);
  }
  token.created = clock::parse_time(fields.text("created", 40), Code::file_unsuitable, at);
  token.expires = maybe_time(fields, "expires", at);
  token.revoked = maybe_time(fields, "revoked", at);
  token.digest = canon::parse_digest(fields.text("digest", 80), Code::file_unsuitable, at);
  fields.finish();
  return token;
}

}  // namespace stella::access
