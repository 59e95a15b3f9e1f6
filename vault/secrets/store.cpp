// SPDX-License-Identifier: Apache-2.0
#include "vault/secrets/store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vault/secrets/session.hpp"

namespace stella::secrets {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

void require_name(std::string_view kind, std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  const bool starts_well = !text.empty() && text.front() != '.' && text.front() != '_' && text.front() != '-';
  if (starts_well && text.size() <= 64 && std::ranges::all_of(text, good)) return;
  throw Error(Code::usage, kind,
              fmt::format("the {} must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit", kind));
}

void require_value(const Store::Draft& draft) {
  const auto size = draft.value->size();
  if (size == 0) throw Error(Code::usage, "empty", "the secret's value is empty");
  if (size > kMaxValueBytes)
    throw Error(Code::usage, "size", fmt::format("the secret's value has more than {} bytes", kMaxValueBytes));
  if (size < kShortBytes && draft.shortness == Short::refuse)
    throw Error(
        Code::usage, "short",
        fmt::format("the secret's value has under {} bytes: it cannot be kept out of logs reliably", kShortBytes), {},
        "Use a longer value, or say --allow-short; then it is redacted only where it stands as a whole word.");
}

Error not_held(const std::string& name) {
  return Error(Code::vault_not_found, "secret", fmt::format("there is no secret {} in the vault", name), name,
               "`stella vault list` names them; `stella vault put NAME --scope SCOPE` adds one.");
}

Metadata metadata_of(const Secret& secret) {
  const auto& newest = secret.versions.back();
  return {.name = secret.name,
          .scope = secret.scope,
          .version = newest.number,
          .kept = secret.versions.size(),
          .created = newest.created,
          .last_four = newest.last_four,
          .is_short = newest.is_short};
}

Secret* find_held(Contents& contents, const std::string& tenant, const std::string& name) {
  auto* found = contents.find(tenant, name);
  return found == nullptr || found->versions.empty() ? nullptr : found;
}

Secret& need_held(Contents& contents, const std::string& tenant, const std::string& name) {
  auto* found = find_held(contents, tenant, name);
  if (found == nullptr) throw not_held(name);
  return *found;
}

Metadata add_version(Session& session, Secret& secret, const Store::Draft& draft, const std::string& action) {
  auto version = session.add_object(secret, *draft.value);
  secret.last = version.number;
  secret.versions.push_back(std::move(version));
  session.changed();
  session.note({draft.tenant, action, {{"name", secret.name}, {"scope", secret.scope}, {"version", secret.last}}});
  return metadata_of(secret);
}

}  // namespace

Store::Store(std::unique_ptr<Unsealed> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

Metadata Store::put(const Draft& draft) {
  require_name("name", draft.name);
  require_name("scope", draft.scope);
  require_value(draft);
  Session session(*state_);
  auto* secret = session.contents.find(draft.tenant, draft.name);
  if (secret == nullptr)
    secret = &session.contents.secrets.emplace_back(
        Secret{.tenant = draft.tenant, .name = draft.name, .scope = draft.scope, .versions = {}});
  if (secret->versions.empty()) secret->scope = draft.scope;  // new, or back after a removal
  if (secret->scope != draft.scope)
    throw Error(Code::usage, "scope",
                fmt::format("secret {} has scope {}, not {}", secret->name, secret->scope, draft.scope), {},
                "Give that scope, or remove the secret first; packs that declare it name the scope too.");
  const auto result = add_version(session, *secret, draft, "put");
  session.commit();
  return result;
}

Metadata Store::rotate(const Draft& draft) {
  require_value(draft);
  Session session(*state_);
  const auto result = add_version(session, need_held(session.contents, draft.tenant, draft.name), draft, "rotate");
  session.commit();
  return result;
}

std::size_t Store::remove(const std::string& tenant, const std::string& name) {
  Session session(*state_);
  auto& secret = need_held(session.contents, tenant, name);
  const auto count = secret.versions.size();
  for (const auto& version : secret.versions) session.remove_object(version);
  secret.versions.clear();
  session.changed();
  session.note({tenant, "remove", {{"name", name}, {"versions", count}}});
  session.commit();
  return count;
}

std::vector<Metadata> Store::list(const std::string& tenant) {
  Session session(*state_);
  std::vector<Metadata> result;
  for (const auto& secret : session.contents.secrets)
    if (secret.tenant == tenant && !secret.versions.empty()) result.push_back(metadata_of(secret));
  std::ranges::sort(result, {}, &Metadata::name);
  session.note({tenant, "list", {{"secrets", result.size()}}});
  session.commit();
  return result;
}

Metadata Store::show(const std::string& tenant, const std::string& name) {
  auto found = find({tenant, "show", {{"name", name}}}, name);
  if (!found) throw not_held(name);
  return std::move(*found);
}

std::optional<Metadata> Store::find(const Purpose& purpose, const std::string& name) {
  Session session(*state_);
  const auto* secret = find_held(session.contents, purpose.tenant, name);
  std::optional<Metadata> result;
  if (secret != nullptr) result = metadata_of(*secret);
  session.note(purpose);
  session.commit();
  return result;
}

std::optional<Opened> Store::lease(const Purpose& purpose, const std::string& name) {
  Session session(*state_);
  const auto* secret = find_held(session.contents, purpose.tenant, name);
  if (secret == nullptr) return std::nullopt;
  Opened opened{.metadata = metadata_of(*secret), .value = session.open_object(*secret, secret->versions.back())};
  auto noted = purpose;
  noted.detail["version"] = opened.metadata.version;
  session.note(noted);
  session.commit();
  return opened;
}

void Store::note(const Purpose& purpose) {
  Session session(*state_);
  session.note(purpose);
  session.commit();
}

Head Store::head() {
  return Session(*state_).head();
}

std::vector<audit::Entry> Store::verify() {
  state_->file.connection().check_integrity();
  return Session(*state_).verify();
}

}  // namespace stella::secrets
