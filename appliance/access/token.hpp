// SPDX-License-Identifier: Apache-2.0
// Bearer tokens of `stella serve`: who may read or act, never who may open a gate (security.md rule 15). Any thread.
//
// A token is `stella-<id>-<secret>`: id 12 and secret 64 lower-case hex digits. It is shown once; kept is the SHA-256
// of the whole text only (256 random bits need no slow hash).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::access {

enum class Scope { read, run, approve };  // packs.read packs.run packs.approve
using Scopes = std::set<Scope>;

[[nodiscard]] std::string_view name_of(Scope scope) noexcept;
// `packs.read,Packs.Approve`, at least one, case ignored. ERR_USAGE reason `scopes`.
[[nodiscard]] Scopes parse_scopes(std::string_view list);
[[nodiscard]] std::string names_of(const Scopes& scopes);  // packs.read,packs.run

struct Token {
  std::string id, tenant, made_by;
  std::string holder = {};  // whose it is, when that was said
  Scopes scopes;
  clock::Time created{};
  std::optional<clock::Time> expires, revoked;
  canon::Digest digest;  // of the text

  [[nodiscard]] bool is_good_at(clock::Time now) const noexcept { return !revoked && (!expires || now < *expires); }
};

struct Made {
  Token token;
  std::string text;  // to be shown once
};
struct Wish {
  std::string tenant, made_by;
  Scopes scopes;
  std::optional<clock::Duration> valid_for;  // nothing: until revoked
  std::string holder = {};                   // whose it is; empty: nobody said
};
[[nodiscard]] Made make_token(const Wish& wish, clock::Time now);

// The id in a token's text; nothing for a text that no token has.
[[nodiscard]] std::optional<std::string> id_in(std::string_view text);
// In constant time.
[[nodiscard]] bool fits(const Token& token, std::string_view text);

[[nodiscard]] canon::Json to_json(const Token& token);                            // as stored
[[nodiscard]] canon::Json to_public_json(const Token& token);                     // without the digest: for lists
[[nodiscard]] Token from_json(const canon::Json& object, const std::string& at);  // ERR_FILE_UNSUITABLE reason `tokens`

}  // namespace stella::access
