// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "vault/lease/lease.hpp"
#include "vault/secrets/store.hpp"

namespace stella::lease {
namespace {

using fault::Code;
using fault::Error;

bool is_declared(const Ticket& ticket, const Wanted& wanted) {
  return std::ranges::any_of(ticket.declared,
                             [&](const Wanted& one) { return one.name == wanted.name && one.scope == wanted.scope; });
}

canon::Json described(const Ticket& ticket, const Wanted& wanted) {
  return {{"name", wanted.name},
          {"scope", wanted.scope},
          {"run", ticket.run},
          {"planHash", ticket.plan_hash},
          {"step", ticket.step}};
}

Error missing(const Wanted& wanted, const std::string& held_scope) {
  const auto have = held_scope.empty() ? std::string("is not in the vault")
                                       : fmt::format("is in the vault with scope {}", held_scope);
  return Error(Code::pack_secret_missing, held_scope.empty() ? "missing" : "scope",
               fmt::format("secret {} of scope {} {}", wanted.name, wanted.scope, have), wanted.name,
               fmt::format("Put it there with `stella vault put {} --scope {}`.", wanted.name, wanted.scope));
}

class VaultSource : public Source {
 public:
  explicit VaultSource(secrets::Store store) : store_(std::move(store)) {}

  Leased lease(const Ticket& ticket, const Wanted& wanted) override {
    const auto detail = described(ticket, wanted);
    if (!is_declared(ticket, wanted)) {
      store_.note({ticket.tenant, "refused", detail});
      throw Error(Code::vault_denied, "undeclared",
                  fmt::format("step {} did not declare secret {} of scope {}", ticket.step, wanted.name, wanted.scope),
                  wanted.name, "Declare it in the pack under `spec.secrets` and in the step's `secrets`.");
    }
    // The scope is looked at before the value is opened: one of another scope is not to leave.
    const auto held = store_.find({ticket.tenant, "version", detail}, wanted.name);
    if (!held) throw missing(wanted, {});
    if (held->scope != wanted.scope) throw missing(wanted, held->scope);
    auto opened = store_.lease({ticket.tenant, "lease", detail}, wanted.name);
    if (!opened || opened->metadata.scope != wanted.scope) throw missing(wanted, {});
    return {.name = wanted.name,
            .scope = wanted.scope,
            .version = opened->metadata.version,
            .value = std::move(opened->value),
            .last_four = opened->metadata.last_four};
  }

  std::optional<std::int64_t> version_of(const std::string& tenant, const Wanted& wanted) override {
    const auto held = store_.find({tenant, "version", {{"name", wanted.name}, {"scope", wanted.scope}}}, wanted.name);
    if (!held || held->scope != wanted.scope) return std::nullopt;
    return held->version;
  }

 private:
  secrets::Store store_;
};

constexpr std::string_view kFile = "vault+file://";
constexpr std::string_view kUnix = "vault+unix://";

locked::Bytes ask(trust::Passphrases& passphrases, const std::string& path) {
  try {
    return passphrases.ask("passphrase for the vault");
  } catch (const Error& error) {
    if (error.reason() != "no-passphrase") throw;
    throw Error(Code::vault_sealed, "no-passphrase", fmt::format("no passphrase was given for {}", path), path,
                error.fix());
  }
}

}  // namespace

std::string vault_path(const files::Home& home) {
  const char* given = std::getenv("TASKRUNNER_SEALED_VAULT_URL");
  const std::string_view url = given == nullptr ? "" : given;
  if (url.empty()) return home.vault() + "/vault.db";
  if (url.starts_with(kUnix))
    throw Error(Code::usage, "not-yet", "vault+unix:// comes with a later version, together with `stella vault serve`",
                "TASKRUNNER_SEALED_VAULT_URL",
                "Use vault+file://PATH, or unset the variable for the home's own vault.");
  if (!url.starts_with(kFile) || url.size() == kFile.size() || url[kFile.size()] != '/')
    throw Error(Code::usage, "vault-url", "the vault's URL must be vault+file:///ABSOLUTE/PATH",
                "TASKRUNNER_SEALED_VAULT_URL");
  return std::string(url.substr(kFile.size()));
}

secrets::Store open_store(const files::Home& home, trust::Passphrases& passphrases, const clock::Clock& clock) {
  const auto path = vault_path(home);
  return secrets::Store::open(
      path, [&] { return ask(passphrases, path); }, clock);
}

std::unique_ptr<Source> open_vault(const files::Home& home, trust::Passphrases& passphrases) {
  return std::make_unique<VaultSource>(open_store(home, passphrases, clock::system_clock()));
}

}  // namespace stella::lease
