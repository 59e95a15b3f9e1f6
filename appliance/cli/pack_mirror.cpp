// SPDX-License-Identifier: Apache-2.0
// pack mirror ...: the registry inside: pull, list, show, verify, status, gc, promote, receipts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "appliance/cli/command.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/catalog/lock.hpp"
#include "mirror/gc/collect.hpp"
#include "mirror/intake/check.hpp"
#include "mirror/intake/pull.hpp"
#include "mirror/intake/trust_root.hpp"
#include "mirror/metadata/role.hpp"
#include "mirror/receipts/receipt.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

std::string counted(std::uint64_t number, const std::string& noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

canon::Json skipped_json(const std::vector<catalog::Skipped>& skipped) {
  canon::Json list = canon::Json::array();
  for (const catalog::Skipped& item : skipped) list.push_back({{"pack", item.name_version}, {"reason", item.reason}});
  return list;
}

void say_pull(Invocation& call, const intake::PullResult& result) {
  if (result.outcome == intake::Outcome::unchanged) {
    call.out().say(fmt::format("already at generation {}", result.generation));
  } else {
    call.out().say(call.out().good(fmt::format("generation {} of {}", result.generation, result.source)) +
                   fmt::format(": {} added, {} stored ({} bytes), {} kept", counted(result.added.size(), "pack"),
                               counted(result.stored_blobs, "blob"), result.stored_bytes, result.kept_blobs));
  }
  for (const std::string& name : result.added) call.out().say("  added    " + name);
  for (const catalog::Skipped& item : result.skipped)
    call.out().say(fmt::format("  skipped  {}: {}", item.name_version, item.reason));
  if (!result.expired.empty()) {
    call.out().note(fmt::format("note: past their time, let through by the site's mirror.maxAge: {}",
                                fmt::join(result.expired, ", ")));
  }
  if (result.is_old) {
    call.out().note(fmt::format("note: the bundle is {} old; ask the publisher for a fresh one",
                                clock::format_duration(result.age)));
  }
}

// Who brings it, for the receipt: by user id, as for runs; of whichever tenant they are an operator.
std::string puller(Invocation& call) {
  const auto applied = site::load_applied(call.home());
  const std::string nobody = site::operator_name(nullptr);
  if (!applied) return nobody;
  for (const site::Tenant& tenant : applied->policy.tenants)
    if (const std::string name = site::operator_name(&tenant); name != nobody) return name;
  return nobody;
}

int pull(Invocation& call) {
  const intake::PullRequest request{.home = call.home(),
                                    .from = call.value("--from").value_or(""),
                                    .by = puller(call),
                                    .clock = call.clock(),
                                    .note = [&](const std::string& line) { call.out().note(line); }};
  const intake::PullResult result = intake::pull(request);
  say_pull(call, result);
  call.out().result(
      {{"generation", result.generation},
       {"added", result.added},
       {"skipped", skipped_json(result.skipped)},
       {"refused", canon::Json::array()},
       {"source", result.source},
       {"previous", result.previous},
       {"changed", result.outcome == intake::Outcome::accepted},
       {"blobs", {{"stored", result.stored_blobs}, {"kept", result.kept_blobs}, {"bytes", result.stored_bytes}}},
       {"expired", result.expired}});
  return 0;
}

std::uint64_t size_of(const catalog::Pack& pack) {
  std::uint64_t bytes = pack.manifest.size_bytes;
  for (const blobs::Blob& blob : pack.blobs) bytes += blob.size_bytes;
  return bytes;
}

canon::Json pack_json(const catalog::Pack& pack) {
  return {{"name", pack.name},
          {"version", pack.version},
          {"digest", pack.digest.tagged()},
          {"manifest", pack.manifest.digest.tagged()},
          {"channels", pack.channels},
          {"tenants", pack.tenants},
          {"generation", pack.generation},
          {"bytes", size_of(pack)}};
}

int list(Invocation& call) {
  const catalog::Catalog catalog = catalog::Catalog::open(call.home());
  std::vector<std::vector<std::string>> rows;
  canon::Json packs = canon::Json::array();
  for (const catalog::Pack& pack : catalog.packs()) {
    const std::string tenants = pack.tenants.empty() ? "all" : fmt::format("{}", fmt::join(pack.tenants, ", "));
    rows.push_back({pack.name_version(), fmt::format("{}", fmt::join(pack.channels, ", ")), tenants,
                    std::to_string(size_of(pack)), pack.digest.tagged().substr(0, 19) + "…"});
    packs.push_back(pack_json(pack));
  }
  if (rows.empty()) call.out().say("no packs here; bring some in with `stella pack mirror pull --from MEDIUM`");
  if (!rows.empty()) call.out().table({"PACK", "CHANNELS", "TENANTS", "BYTES", "DIGEST"}, rows);
  call.out().result({{"packs", packs}});
  return 0;
}

std::vector<catalog::Pack> need_packs(const catalog::Catalog& catalog, const std::string& name) {
  std::vector<catalog::Pack> found, all = catalog.packs();
  std::vector<std::string> names;
  for (const catalog::Pack& pack : all) {
    names.push_back(pack.name_version());
    if (pack.name == name || pack.name_version() == name) found.push_back(pack);
  }
  if (!found.empty()) return found;
  const auto close = canon::nearest(name, names);
  throw Error(Code::pack_not_found, "missing",
              fmt::format("{} is not in this home's registry{}", canon::printable(name),
                          close ? ", did you mean " + *close + "?" : ""),
              canon::printable(name));
}

int show(Invocation& call) {
  const catalog::Catalog catalog = catalog::Catalog::open(call.home());
  canon::Json packs = canon::Json::array();
  for (const catalog::Pack& pack : need_packs(catalog, call.need("NAME"))) {
    call.out().say(call.out().strong(pack.name_version()));
    call.out().say(fmt::format("  digest      {}", pack.digest.tagged()));
    call.out().say(fmt::format("  manifest    {}", pack.manifest.digest.tagged()));
    call.out().say(fmt::format("  channels    {}", fmt::join(pack.channels, ", ")));
    call.out().say(fmt::format("  tenants     {}",
                               pack.tenants.empty() ? "all" : fmt::format("{}", fmt::join(pack.tenants, ", "))));
    call.out().say(fmt::format("  generation  {}", pack.generation));
    canon::Json object = pack_json(pack), blobs = canon::Json::array();
    for (const blobs::Blob& blob : pack.blobs) {
      call.out().say(fmt::format("  blob        {} {} bytes", blob.digest.tagged(), blob.size_bytes));
      blobs.push_back({{"digest", blob.digest.tagged()}, {"size", blob.size_bytes}});
    }
    object["blobs"] = blobs;
    packs.push_back(object);
  }
  call.out().result({{"packs", packs}});
  return 0;
}

int verify(Invocation& call) {
  const auto applied = site::load_applied(call.home());
  const intake::Depth depth = call.flag("--deep") ? intake::Depth::bytes : intake::Depth::sizes;
  const intake::CheckResult result = intake::check_registry(call.home(), applied ? &applied->policy : nullptr, depth);
  canon::Json findings = canon::Json::array();
  for (const intake::Finding& finding : result.findings) {
    call.out().note(fmt::format("{}: blob {} {}", finding.name_version, finding.digest, finding.what));
    findings.push_back({{"pack", finding.name_version}, {"blob", finding.digest}, {"what", finding.what}});
  }
  call.out().result(
      {{"packs", result.packs}, {"blobs", result.blobs}, {"bytes", result.bytes}, {"findings", findings}});
  if (!result.findings.empty()) {
    const intake::Finding& first = result.findings.front();
    throw Error(
        Code::mirror_digest, "blob",
        fmt::format("{} of {} blobs damaged, the first is {} of {}", result.findings.size(), result.blobs, first.digest,
                    first.name_version),
        first.digest,
        "Remove the damaged files under mirror/blobs/sha256 and pull the same medium again: only they are read.");
  }
  call.out().say(fmt::format(
      "{}, {}, {} bytes: metadata verifies, every blob {}", counted(result.packs, "pack"),
      counted(result.blobs, "blob"), result.bytes,
      depth == intake::Depth::bytes ? "was read and has its digest" : "is there with its size (--deep reads them)"));
  return 0;
}

int status(Invocation& call) {
  const auto applied = site::load_applied(call.home());
  const catalog::Catalog catalog = catalog::Catalog::open(call.home());
  canon::Json result = {{"trusted", nullptr}, {"generation", 0}, {"packs", catalog.packs().size()}};
  if (intake::has_trust(call.home())) {
    const intake::Trust trust = intake::load_trust(call.home(), applied ? &applied->policy : nullptr);
    call.out().say(fmt::format("trusted: {}, root {} now at version {}", trust.source, trust.pinned.tagged(),
                               trust.root.root.header.version));
    result["trusted"] = {
        {"source", trust.source}, {"root", trust.pinned.tagged()}, {"version", trust.root.root.header.version}};
  } else {
    call.out().say("no mirror root is trusted yet: stella mirror trust ROOT.json");
  }
  if (const auto current = catalog.current()) {
    const clock::Duration age =
        call.clock().now() - clock::parse_time(current->issued, Code::mirror_digest, "catalog.db");
    call.out().say(fmt::format("generation {}, issued {}, {} old; pulled {}", current->number, current->issued,
                               clock::format_duration(std::max(age, clock::Duration(0))), current->pulled_at));
    result["generation"] = current->number;
    result["issued"] = current->issued;
    result["pulledAt"] = current->pulled_at;
    result["ageSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  } else {
    call.out().say("nothing was pulled yet");
  }
  call.out().say(fmt::format("{} held, {} skipped", counted(catalog.packs().size(), "pack"), catalog.skipped().size()));
  result["skipped"] = skipped_json(catalog.skipped());
  call.out().result(result);
  return 0;
}

int gc(Invocation& call) {
  const bool dry = call.flag("--dry-run");
  const gc::Collected collected = gc::collect(call.home(), dry ? gc::Mode::plan : gc::Mode::sweep);
  const std::string verb = dry ? "would free" : "freed";
  for (const std::string& name : collected.packs)
    call.out().say(fmt::format("  {} {}", dry ? "would drop" : "dropped", name));
  call.out().say(fmt::format("{} {} bytes in {}, {}", verb, collected.bytes, counted(collected.blobs, "blob"),
                             counted(collected.staged, "left-over part")));
  call.out().result({{"dryRun", dry},
                     {"packs", collected.packs},
                     {"blobs", collected.blobs},
                     {"bytes", collected.bytes},
                     {"staged", collected.staged}});
  return 0;
}

int promote(Invocation& call) {
  const std::string name = call.need("NAME:VERSION"), channel = call.need("--channel");
  if (!metadata::is_channel(channel)) {
    throw Error(Code::usage, "channel", "a channel's name has lower-case letters, digits and `-` only", "--channel");
  }
  const files::Fd lock = catalog::lock_registry(call.home());
  const catalog::Catalog catalog = catalog::Catalog::open(call.home());
  const catalog::Pack pack = need_packs(catalog, name).front();
  if (pack.name_version() != name)
    throw Error(Code::usage, "version", "give the version too: " + pack.name_version(), "NAME:VERSION");
  catalog.promote(pack, channel);
  call.out().say(fmt::format("{} is in channel {} of this home", name, channel));
  call.out().result({{"pack", name}, {"channel", channel}});
  return 0;
}

int list_receipts(Invocation& call) {
  std::vector<trust::PublicKey> keys = {site::load_identity(call.home()).key.public_key()};
  if (const auto applied = site::load_applied(call.home())) {
    for (const site::Appliance& appliance : applied->policy.appliances) keys.push_back(appliance.key);
  }
  std::vector<std::vector<std::string>> rows;
  canon::Json list = canon::Json::array();
  for (const receipts::Receipt& receipt : receipts::load_verified(call.home(), keys)) {
    const std::string code = receipt.details.value("code", "");
    rows.push_back({std::to_string(receipt.number), receipt.at, receipt.outcome, receipt.subject, code});
    list.push_back({{"number", receipt.number},
                    {"at", receipt.at},
                    {"appliance", receipt.appliance},
                    {"outcome", receipt.outcome},
                    {"subject", receipt.subject},
                    {"import", receipt.details}});
  }
  call.out().table({"NUMBER", "AT", "OUTCOME", "BUNDLE", "CODE"}, rows);
  call.out().say(fmt::format("{} receipts: the chain holds and every signature is this appliance's", rows.size()));
  call.out().result({{"receipts", list}});
  return 0;
}

}  // namespace

std::vector<Command> pack_mirror_commands() {
  return {
      {{"pack", "mirror", "pull"},
       "bring a mirror bundle into this home",
       "stella pack mirror pull --from /media/stick",
       {},
       {{"--from", "PATH", "a medium, a bundle's folder or a tar of it (default: the only mounted medium with one)"}},
       pull},
      {{"pack", "mirror", "list"}, "the packs that are here", "stella pack mirror list", {}, {}, list},
      {{"pack", "mirror", "show"},
       "what is known about a pack",
       "stella pack mirror show firmware-rollout:1.4.0",
       {{"NAME", "NAME or NAME:VERSION"}},
       {},
       show},
      {{"pack", "mirror", "verify"},
       "check that the registry is what was pulled",
       "stella pack mirror verify --deep",
       {},
       {{"--deep", "", "read every blob"}},
       verify},
      {{"pack", "mirror", "status"},
       "whom this home trusts, what it holds, how old that is",
       "stella pack mirror status",
       {},
       {},
       status},
      {{"pack", "mirror", "gc"},
       "free what no kept pack needs",
       "stella pack mirror gc --dry-run",
       {},
       {{"--dry-run", "", "only say what would go"}},
       gc},
      {{"pack", "mirror", "promote"},
       "put a pack into a channel of this home; gc keeps it",
       "stella pack mirror promote firmware-rollout:1.4.0 --channel proven",
       {{"NAME:VERSION", "the pack"}},
       {{"--channel", "C", "the channel", true}},
       promote},
      {{"pack", "mirror", "receipts"},
       "the signed record of every pull, checked",
       "stella pack mirror receipts",
       {},
       {},
       list_receipts},
  };
}

}  // namespace stella::cli
