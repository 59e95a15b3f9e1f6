// SPDX-License-Identifier: Apache-2.0
// mirror init, add, publish, status (outside) and mirror trust (inside, once).
#include <fmt/format.h>

#include <filesystem>

#include "appliance/cli/command.hpp"
#include "appliance/cli/size.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/intake/trust_root.hpp"
#include "mirror/metadata/document.hpp"
#include "mirror/source/source.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

std::uint64_t kdf_memory(Invocation& call) {
  const std::optional<std::string> text = call.value("--kdf-memory");
  if (!text) return trust::kKdfMemoryDefault;
  const std::uint64_t bytes = parse_size(*text, "--kdf-memory");
  if (bytes >= trust::kKdfMemoryFloor && bytes <= std::uint64_t{2} << 30) return bytes;
  throw Error(Code::usage, "size", "the memory for a passphrase is 64MiB to 2GiB", "--kdf-memory");
}

int parse_threshold(Invocation& call) {
  const std::string text = call.need("--threshold");
  const bool digits = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw Error(Code::usage, "threshold", "a threshold is a number from 1 on", "--threshold");
  return std::stoi(text);
}

std::map<std::string, std::string> parse_role_keys(const std::vector<std::string>& values) {
  std::map<std::string, std::string> roles;
  for (const std::string& value : values) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == value.size()) {
      throw Error(Code::usage, "role", "a role's key is given as ROLE=FILE", "--role-key");
    }
    if (!roles.emplace(value.substr(0, equals), value.substr(equals + 1)).second) {
      throw Error(Code::usage, "role", value.substr(0, equals) + " was given twice", "--role-key");
    }
  }
  return roles;
}

std::string default_name(const std::string& folder) {
  return std::filesystem::path(std::filesystem::absolute(folder).lexically_normal().string() + "/")
      .parent_path()
      .filename()
      .string();
}

int init(Invocation& call) {
  const std::string folder = call.need("DIR");
  const source::InitRequest request{.folder = folder,
                                    .name = call.value("--name").value_or(default_name(folder)),
                                    .root_keys = call.values("--root-key"),
                                    .threshold = parse_threshold(call),
                                    .role_keys = parse_role_keys(call.values("--role-key")),
                                    .kdf_memory = kdf_memory(call)};
  const source::Initialised made = source::init(request, call.clock(), call.passphrases());
  call.out().say(fmt::format("mirror {} made in {}; the root keys were read and not stored", request.name, folder));
  call.out().say(fmt::format("root: {}", made.root_file));
  call.out().say(fmt::format("      {}", made.root.tagged()));
  call.out().say(fmt::format("for the site policy: mirror: {{sources: [{{name: {}, root: {}}}]}}", request.name,
                             made.root.tagged()));
  call.out().result({{"name", request.name}, {"root", made.root.tagged()}, {"rootFile", made.root_file}});
  return 0;
}

int add(Invocation& call) {
  const source::AddRequest request{.folder = call.need("DIR"),
                                   .channel = call.value("--channel").value_or(source::kDefaultChannel),
                                   .packs = call.values("FILE"),
                                   .kdf_memory = kdf_memory(call)};
  canon::Json list = canon::Json::array();
  for (const source::Added& added : source::add(request, call.passphrases())) {
    call.out().say(fmt::format("{} {} to {}  {}", added.name_version, added.is_new ? "added" : "was added before",
                               request.channel, added.digest.tagged()));
    if (!added.is_signed) {
      call.out().note(
          fmt::format("note: {} is not signed; no site will run it before `stella pack sign`", added.name_version));
    }
    list.push_back({{"pack", added.name_version},
                    {"digest", added.digest.tagged()},
                    {"new", added.is_new},
                    {"signed", added.is_signed}});
  }
  call.out().say(fmt::format("next: stella mirror publish {} --to MEDIUM", request.folder));
  call.out().result({{"channel", request.channel}, {"packs", list}});
  return 0;
}

int publish(Invocation& call) {
  if (call.value("--base")) {
    throw Error(Code::usage, "not-yet", "delta bundles (`--base`) come with a later version", "--base",
                "Publish a full bundle: leave --base out.");
  }
  const source::Published published =
      source::publish(call.need("DIR"), call.need("--to"), call.clock(), call.passphrases(),
                      [&](const std::string& line) { call.out().note(line); });
  call.out().say(fmt::format("generation {} {}: packs {}, blobs {}, bytes {}", published.generation,
                             published.is_new ? "signed and written" : "written again", published.packs,
                             published.blobs, published.bytes));
  call.out().say(published.path);
  call.out().result({{"generation", published.generation},
                     {"new", published.is_new},
                     {"path", published.path},
                     {"packs", published.packs},
                     {"blobs", published.blobs},
                     {"bytes", published.bytes}});
  return 0;
}

int status(Invocation& call) {
  const source::State state = source::Folder(call.need("DIR")).load();
  const std::string issued = state.issued ? clock::format(*state.issued) : "never";
  call.out().say(
      call.out().strong(fmt::format("mirror {}: generation {}, issued {}", state.name, state.generation, issued)));
  if (state.changed) call.out().say("not published yet: something was added since");
  std::vector<std::vector<std::string>> rows;
  canon::Json packs = canon::Json::array(), roles = canon::Json::object();
  for (const catalog::Pack& pack : state.packs) {
    std::string channels;
    for (const std::string& channel : pack.channels) channels += (channels.empty() ? "" : ", ") + channel;
    rows.push_back({pack.name_version(), channels, pack.digest.tagged()});
    packs.push_back({{"pack", pack.name_version()},
                     {"channels", pack.channels},
                     {"digest", pack.digest.tagged()},
                     {"tenants", pack.tenants}});
  }
  call.out().table({"PACK", "CHANNELS", "DIGEST"}, rows);
  for (const auto& [role, key] : state.roles) {
    call.out().say(fmt::format("{} is signed by {}", role, key.file));
    roles[role] = metadata::key_id(key.key);
  }
  call.out().result({{"name", state.name},
                     {"generation", state.generation},
                     {"issued", state.issued ? canon::Json(issued) : canon::Json(nullptr)},
                     {"changed", state.changed},
                     {"packs", packs},
                     {"roles", roles}});
  return 0;
}

void show_root(Invocation& call, const intake::Candidate& candidate) {
  const metadata::RoleKeys& own = candidate.root.root.roles.at("root");
  call.out().say(fmt::format("mirror {}, root version {}, {} of {} keys must sign", candidate.source(),
                             candidate.root.root.header.version, own.threshold, own.key_ids.size()));
  for (const std::string& id : own.key_ids) call.out().say("  key " + id);
  call.out().say("  " + candidate.digest.tagged());
}

int trust_root(Invocation& call) {
  const std::string path = call.need("ROOT.json");
  const std::string text = call.read_argument(path, metadata::kMaxRoot);
  const auto applied = site::load_applied(call.home());
  const intake::Candidate candidate = intake::inspect_root(text, path, applied ? &applied->policy : nullptr);
  if (const auto expected = call.value("--expect")) {
    if (canon::parse_digest(*expected, Code::usage, "--expect") != candidate.digest) {
      throw Error(Code::mirror_untrusted, "expect",
                  fmt::format("the root is {}, {} was expected", candidate.digest.tagged(), *expected), path);
    }
  }
  show_root(call, candidate);
  const bool decided = candidate.listing == intake::Listing::by_policy || call.value("--expect");
  if (!decided &&
      !call.confirm("The site policy lists no mirror. Did the publisher give you this digest by another way?")) {
    throw Error(Code::mirror_untrusted, "declined", "the root was not trusted", path);
  }
  const bool is_new = intake::pin(call.home(), candidate) == intake::Pinned::now;
  call.out().say(is_new ? call.out().good("trusted from now on") : "already trusted");
  call.out().result({{"source", candidate.source()},
                     {"root", candidate.digest.tagged()},
                     {"version", candidate.root.root.header.version},
                     {"new", is_new},
                     {"listed", candidate.listing == intake::Listing::by_policy}});
  return 0;
}

}  // namespace

std::vector<Command> mirror_commands() {
  const Option memory{"--kdf-memory", "SIZE", "memory for the passphrase's key derivation, 64MiB at least"};
  return {
      {{"mirror", "init"},
       "make a mirror: its root, and keys for its other roles (outside)",
       "stella mirror init mirror --name outside-1 --root-key r1.key --root-key r2.key --root-key r3.key.pub "
       "--threshold 2",
       {{"DIR", "the mirror's folder, made when it is missing"}},
       {{"--name", "SOURCE", "the mirror's name (default: the folder's)"},
        {"--root-key", "K", "a root key, private or .pub; repeatable", true, true},
        {"--threshold", "N", "how many root keys must sign", true},
        {"--role-key", "ROLE=K", "a key for targets, snapshot, timestamp or a channel; repeatable", false, true},
        memory},
       init},
      {{"mirror", "add"},
       "put packs into a channel of the mirror (outside)",
       "stella mirror add mirror firmware-rollout-1.4.0.pack --channel stable",
       {{"DIR", "the mirror's folder"}, {"FILE", "a .pack file; repeatable", true, true}},
       {{"--channel", "CHANNEL", "the channel (default: stable)"}, memory},
       add},
      {{"mirror", "publish"},
       "sign a generation and write it to a medium (outside)",
       "stella mirror publish mirror --to /media/stick",
       {{"DIR", "the mirror's folder"}},
       {{"--to", "PATH", "a medium's folder, or a file ending in .tar", true},
        {"--base", "GENERATION", "a delta on an older generation (comes later)"}},
       publish},
      {{"mirror", "status"},
       "what the mirror holds and who signs it (outside)",
       "stella mirror status mirror",
       {{"DIR", "the mirror's folder"}},
       {},
       status},
      {{"mirror", "trust"},
       "trust a mirror's root, once (inside)",
       "stella mirror trust /media/stick/STELLA-MIRROR/outside-1-g1/metadata/1.root.json",
       {{"ROOT.json", "the first root, metadata/1.root.json"}},
       {{"--expect", "sha256:HEX", "the digest that the publisher told you"}},
       trust_root},
  };
}

}  // namespace stella::cli
