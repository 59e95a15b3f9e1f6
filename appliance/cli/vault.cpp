// SPDX-License-Identifier: Apache-2.0
// vault init, put, list, show, rotate, remove, status, audit, rekey, backup, restore. No verb prints a value.
#include <fmt/format.h>
#include <unistd.h>

#include "appliance/cli/command.hpp"
#include "appliance/cli/size.hpp"
#include "bundles/canon/fields.hpp"
#include "vault/lease/lease.hpp"
#include "vault/secrets/store.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;
using secrets::Metadata;
using secrets::Store;

Store open(Invocation& call) {
  return lease::open_store(call.home(), call.passphrases(), call.clock());
}

std::uint64_t kdf_memory(const Invocation& call) {
  const auto given = call.value("--kdf-memory");
  return given ? parse_size(*given, "--kdf-memory") : keys::kMemoryDefault;
}

Json head_json(const secrets::Head& head) {
  return {{"generation", head.generation}, {"root", head.root.tagged()}};
}

// Without the last four characters: those are in `show` only.
Json metadata_json(const Metadata& data) {
  return {{"name", data.name},
          {"scope", data.scope},
          {"version", data.version},
          {"kept", data.kept},
          {"created", clock::format(data.created)},
          {"short", data.is_short}};
}

struct GivenValue {
  locked::Bytes bytes;
  bool newline_left_out;
};

// `echo secret | stella vault put` means the secret, not the secret and a line feed.
GivenValue read_value(Invocation& call) {
  GivenValue given{.bytes = call.read_secret(call.value("--from").value_or("-")), .newline_left_out = false};
  auto& bytes = given.bytes;
  if (bytes.empty() || bytes.data()[bytes.size() - 1] != '\n') return given;
  bytes.shrink(bytes.size() - 1);
  if (!bytes.empty() && bytes.data()[bytes.size() - 1] == '\r') bytes.shrink(bytes.size() - 1);
  given.newline_left_out = true;
  call.out().note("one newline at the end was left out of the value");
  return given;
}

Store::Draft draft(Invocation& call, const GivenValue& given, const std::string& scope) {
  return {.tenant = call.tenant(),
          .name = call.need("NAME"),
          .scope = scope,
          .value = &given.bytes,
          .shortness = call.flag("--allow-short") ? secrets::Short::allow : secrets::Short::refuse};
}

int report_stored(Invocation& call, const Metadata& data, const GivenValue& given) {
  call.out().say(fmt::format("secret {} of scope {} is now version {}", data.name, data.scope, data.version));
  if (data.is_short)
    call.out().note("it has under 8 bytes: in logs it is redacted only where it stands as a whole word");
  auto object = metadata_json(data);
  object["tenant"] = call.tenant();
  object["newlineLeftOut"] = given.newline_left_out;
  call.out().result(object);
  return 0;
}

int init(Invocation& call) {
  for (const auto* option : {"--shares", "--threshold"})
    if (call.value(option)) refuse_option_for_now(option, "Leave it out: the vault is then opened by one passphrase.");
  const auto memory = kdf_memory(call);
  const auto path = lease::vault_path(call.home());
  Store::require_absent(path);
  Store::create(path, call.passphrases().ask_new("new passphrase for the vault"), memory, call.clock());
  const auto standing = Store::standing(path);
  call.out().say(fmt::format("made a sealed vault at {}", path));
  call.out().note("without its passphrase nothing in it can be read again");
  auto object = head_json(standing.head);
  object.update({{"vault", canon::to_hex(standing.vault)}, {"path", path}, {"kdfMemory", standing.kdf_memory}});
  call.out().result(object);
  return 0;
}

int put(Invocation& call) {
  const auto scope = call.need("--scope");
  const auto given = read_value(call);
  return report_stored(call, open(call).put(draft(call, given, scope)), given);
}

int rotate(Invocation& call) {
  const auto given = read_value(call);
  return report_stored(call, open(call).rotate(draft(call, given, {})), given);
}

int list(Invocation& call) {
  std::vector<std::vector<std::string>> rows;
  Json all = Json::array();
  for (const auto& data : open(call).list(call.tenant())) {
    rows.push_back({data.name, data.scope, std::to_string(data.version), clock::format(data.created)});
    all.push_back(metadata_json(data));
  }
  if (rows.empty())
    call.out().say(fmt::format("tenant {} has no secrets in this vault", call.tenant()));
  else
    call.out().table({"NAME", "SCOPE", "VERSION", "CREATED"}, rows);
  call.out().result({{"tenant", call.tenant()}, {"secrets", std::move(all)}});
  return 0;
}

int show(Invocation& call) {
  const auto data = open(call).show(call.tenant(), call.need("NAME"));
  auto& out = call.out();
  out.say(fmt::format("{}", out.strong(data.name)));
  out.say(fmt::format("  scope:    {}", data.scope));
  out.say(fmt::format("  version:  {}, made {}; {} kept", data.version, clock::format(data.created), data.kept));
  out.say(fmt::format("  ends in:  {}",
                      data.last_four ? canon::printable(*data.last_four) : "not shown (under 16 characters)"));
  if (data.is_short) out.say("  short:    redacted only where it stands as a whole word");
  auto object = metadata_json(data);
  object["tenant"] = call.tenant();
  if (data.last_four) object["lastFour"] = *data.last_four;
  out.result(object);
  return 0;
}

int remove(Invocation& call) {
  const auto name = call.need("NAME");
  if (!call.confirm(
          fmt::format("Remove secret {} with all its versions from the vault?", canon::printable(name, 64)))) {
    call.out().say("nothing was removed");
    return 0;
  }
  const auto count = open(call).remove(call.tenant(), name);
  call.out().say(fmt::format("removed secret {}: {} version{}", name, count, count == 1 ? "" : "s"));
  call.out().result({{"tenant", call.tenant()}, {"name", name}, {"versions", count}});
  return 0;
}

int status(Invocation& call) {
  const auto path = lease::vault_path(call.home());
  const auto standing = Store::standing(path);
  auto& out = call.out();
  out.say(fmt::format("vault       {}", canon::to_hex(standing.vault)));
  out.say(fmt::format("file        {}", path));
  out.say("state       sealed; each command unseals it for itself");
  out.say(fmt::format("generation  {}", standing.head.generation));
  out.say(fmt::format("root        {}", standing.head.root.tagged()));
  out.say(fmt::format("holds       {} secret versions, {} audit entries", standing.versions, standing.audit_entries));
  out.say(fmt::format("passphrase  Argon2id, {} MiB", standing.kdf_memory >> 20));
  auto object = head_json(standing.head);
  object.update({{"vault", canon::to_hex(standing.vault)},
                 {"path", path},
                 {"state", "sealed"},
                 {"versions", standing.versions},
                 {"auditEntries", standing.audit_entries},
                 {"kdfMemory", standing.kdf_memory}});
  out.result(object);
  return 0;
}

int audit_trail(Invocation& call) {
  auto store = open(call);
  const auto entries = store.verify();
  std::vector<std::vector<std::string>> rows;
  Json all = Json::array();
  for (const auto& entry : entries) {
    const Json object{{"number", entry.number}, {"at", clock::format_millis(entry.at)},
                      {"action", entry.action}, {"tenant", entry.tenant},
                      {"user", entry.user},     {"detail", entry.detail}};
    call.out().event(object);
    all.push_back(object);
    rows.push_back({std::to_string(entry.number), clock::format(entry.at), entry.action, entry.tenant,
                    canon::printable(entry.user, 64), canon::printable(canon::canonical(entry.detail), 400)});
  }
  call.out().table({"NUMBER", "AT", "ACTION", "TENANT", "USER", "DETAIL"}, rows);
  call.out().say(fmt::format("verified: {} entries, none altered, none missing", entries.size()));
  auto object = head_json(store.head());
  object.update({{"verified", true}, {"entries", std::move(all)}});
  call.out().result(object);
  return 0;
}

int rekey(Invocation& call) {
  const auto memory = kdf_memory(call);
  auto store = open(call);
  store.rekey(call.passphrases().ask_new("new passphrase for the vault"), memory);
  call.out().say("the vault has another passphrase now; its secrets are the same");
  call.out().note("backups made before open with the old passphrase");
  call.out().result(head_json(store.head()));
  return 0;
}

int backup(Invocation& call) {
  const auto file = call.need("FILE");
  auto store = open(call);
  store.backup(file);
  call.out().say(fmt::format("wrote and verified a sealed copy: {}", file));
  auto object = head_json(store.head());
  object["file"] = file;
  call.out().result(object);
  return 0;
}

int restore(Invocation& call) {
  const auto file = call.need("FILE");
  const auto path = lease::vault_path(call.home());
  if (::access(path.c_str(), F_OK) == 0 &&
      !call.confirm(fmt::format("Replace the vault at {} by the backup {}?", path, canon::printable(file, 400)))) {
    call.out().say("nothing was restored");
    return 0;
  }
  const auto head = Store::restore(
      file, path, call.value("--reason").value_or(""),
      [&] { return call.passphrases().ask("passphrase for the backup"); }, call.clock());
  call.out().say(fmt::format("restored the vault: generation {}", head.generation));
  call.out().result(head_json(head));
  return 0;
}

const Positional kName{.name = "NAME", .help = "the secret's name"};
const Positional kFile{.name = "FILE", .help = "the backup's file"};
const Option kFrom{.name = "--from",
                   .value = "FILE",
                   .help = "the value's file, mode 0600 (default -: standard input, or a prompt without echo)"};
const Option kAllowShort{.name = "--allow-short", .value = {}, .help = "take a value under 8 bytes"};
const Option kKdfMemory{
    .name = "--kdf-memory", .value = "SIZE", .help = "Argon2id's memory, 64MiB or more (default 512MiB)"};

std::vector<Command> sealed_process_commands() {
  const std::string instead =
      "Each command unseals the vault for itself; give --passphrase-file where nobody can be asked.";
  return {refused_for_now({"vault", "serve"}, instead), refused_for_now({"vault", "unseal"}, instead),
          refused_for_now({"vault", "seal"}, instead)};
}

}  // namespace

std::vector<Command> vault_commands() {
  std::vector<Command> rows{
      {{"vault", "init"},
       "make a sealed vault, opened by a passphrase",
       "stella vault init --kdf-memory 256MiB",
       {},
       {kKdfMemory,
        {.name = "--shares", .value = "N", .help = "comes with a later version"},
        {.name = "--threshold", .value = "M", .help = "comes with a later version"}},
       init},
      {{"vault", "put"},
       "put a secret in: a first or a new version",
       "stella vault put plc-token --scope firmware --from token.txt",
       {kName},
       {{.name = "--scope", .value = "S", .help = "the scope that packs name", .required = true}, kFrom, kAllowShort},
       put},
      {{"vault", "list"}, "the tenant's secrets: names, scopes, versions", "stella vault list", {}, {}, list},
      {{"vault", "show"},
       "what is known of a secret, never its value",
       "stella vault show plc-token",
       {kName},
       {},
       show},
      {{"vault", "rotate"},
       "a new version of a secret that is there",
       "stella vault rotate plc-token --from token.txt",
       {kName},
       {kFrom, kAllowShort},
       rotate},
      {{"vault", "remove"},
       "remove a secret with all its versions",
       "stella vault remove plc-token --yes",
       {kName},
       {},
       remove},
      {{"vault", "status"}, "what the sealed file shows without a passphrase", "stella vault status", {}, {}, status},
      {{"vault", "audit"}, "verify the vault and print its trail", "stella vault audit", {}, {}, audit_trail},
      {{"vault", "rekey"}, "another passphrase for the same secrets", "stella vault rekey", {}, {kKdfMemory}, rekey},
      {{"vault", "backup"},
       "a sealed copy of the vault, verified after writing",
       "stella vault backup vault-backup.db",
       {kFile},
       {},
       backup},
      {{"vault", "restore"},
       "verify a backup and put it in the vault's place",
       "stella vault restore vault-backup.db --yes",
       {kFile},
       {{.name = "--reason",
         .value = "TEXT",
         .help = "why an older backup may replace the vault; goes onto the trail"}},
       restore},
  };
  for (auto& row : sealed_process_commands()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace stella::cli
