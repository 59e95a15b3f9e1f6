// SPDX-License-Identifier: Apache-2.0
// evidence verify, evidence show, pack runs export.
#include <fmt/format.h>
#include <sys/stat.h>

#include "appliance/cli/command.hpp"
#include "appliance/cli/deliver.hpp"
#include "appliance/journal/bags.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/retention/prune.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/check.hpp"
#include "bundles/evidence/replay.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "bundles/media/copy.hpp"
#include "bundles/site/policy.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

// --trust names site-admin keys; without it the keys that this home's applied policy pins.
site::TrustRule trust_rule(Invocation& call) {
  site::TrustRule rule;
  for (const std::string& path : call.values("--trust")) rule.admins.push_back(trust::load_public(path));
  if (rule.admins.empty()) {
    if (const auto applied = site::load_applied(call.home())) {
      rule.admins = applied->policy.admins.keys;
      rule.threshold = applied->policy.admins.threshold;
    }
  }
  return rule;
}

canon::Json report_json(const evidence::Report& report, const evidence::Integrity& integrity) {
  return {{"run", report.run},
          {"tenant", report.tenant},
          {"state", report.state},
          {"appliance", report.appliance},
          {"home", report.home_kind},
          {"number", report.number},
          {"planHash", report.plan_hash},
          {"proven", report.proven},
          {"rests", report.word},
          {"files", integrity.sums.size()},
          {"bytes", integrity.bytes},
          {"origin", "proven"}};
}

int verify(Invocation& call) {
  const evidence::Integrity integrity = evidence::check_integrity(evidence::find_bag(call.need("PATH")));
  const std::string whole =
      fmt::format("integrity: {} files, {} bytes, each as it was listed; nothing added, nothing missing",
                  integrity.sums.size(), integrity.bytes);
  if (call.flag("--integrity-only")) {
    call.out().say(whole);
    call.out().say("origin: not proven (--integrity-only)");
    call.out().result({{"files", integrity.sums.size()}, {"bytes", integrity.bytes}, {"origin", "not proven"}});
    return 0;
  }
  const site::TrustRule rule = trust_rule(call);
  if (rule.admins.empty()) {
    call.out().say(whole);
    call.out().say("origin: not proven");
    throw Error(Code::evidence_untrusted, "no-trust", "the bag is whole, but no trusted key says where it comes from",
                integrity.folder);
  }
  const evidence::Report report = evidence::replay(integrity, rule);
  call.out().say(call.out().strong(fmt::format("{}  {}  ({})", report.run, report.state, report.appliance)));
  call.out().say("proven, by signatures of people and machines that the admins you trust name:");
  for (const std::string& line : report.proven) call.out().say(fmt::format("  {} {}", call.out().good("✓"), line));
  call.out().say("rests on the appliance's word:");
  for (const std::string& line : report.word) call.out().say("  · " + line);
  call.out().result(report_json(report, integrity));
  return 0;
}

int show(Invocation& call) {
  const evidence::Integrity integrity = evidence::check_integrity(evidence::find_bag(call.need("PATH")));
  const std::string info = evidence::read_listed(integrity, "bag-info.txt", 65536);
  const auto envelope = dsse::parse(files::read_input(integrity.folder + "/SHA256SUMS.dsse.json", {1 << 20}),
                                    Code::evidence_tampered, "SHA256SUMS.dsse.json");
  const auto statement =
      dsse::parse_statement(envelope, evidence::kListType, Code::evidence_tampered, "SHA256SUMS.dsse.json");
  call.out().say(call.out().strong(integrity.folder));
  for (const auto& [key, value] : statement.predicate.items()) {
    call.out().say(
        fmt::format("  {:<10} {}", canon::printable(key, 80),
                    canon::printable(value.is_string() ? value.get<std::string>() : canon::canonical(value), 200)));
  }
  std::vector<std::vector<std::string>> rows;
  canon::Json files = canon::Json::array();
  for (const auto& [path, digest] : integrity.sums) {
    rows.push_back({path, digest.hex().substr(0, 16) + "…"});
    files.push_back({{"path", path}, {"sha256", digest.hex()}});
  }
  call.out().table({"FILE", "SHA-256"}, rows);
  call.out().say("Integrity holds. Origin is not looked at here: stella evidence verify PATH --trust ADMIN.pub");
  call.out().result({{"folder", integrity.folder}, {"list", statement.predicate}, {"info", info}, {"files", files}});
  return 0;
}

// The newest bag of a run: the one whose name sorts last among those of its latest attempt.
std::string newest_bag(const journal::Journal& journal, const journal::RunRow& row) {
  std::string newest;
  for (const files::Entry& entry : files::list_tree(row.folder + "/evidence")) {
    const bool top = entry.path.find('/') == std::string::npos;
    if (top && entry.kind == files::Kind::folder && entry.path.front() != '.' && entry.path > newest)
      newest = entry.path;
  }
  if (newest.empty() && retention::find_artifacts_removed(journal, row))
    throw Error(Code::evidence_incomplete, "removed",
                fmt::format("the evidence of {} was removed from this home with its artifacts", row.id), row.id,
                "It was exported before, or given up with --unexported: `stella pack runs show` says which.");
  if (newest.empty()) {
    throw Error(Code::evidence_incomplete, "missing",
                fmt::format("{} has no evidence yet: it is {}", row.id, row.state), row.id,
                "Evidence is sealed when a run ends; `stella pack runs show` says what it waits for.");
  }
  return newest;
}

std::vector<media::File> files_of(const evidence::Integrity& integrity) {
  std::vector<media::File> list;
  const files::Fd root = files::open_folder(integrity.folder);
  for (const files::Entry& entry : files::list_tree(integrity.folder)) {
    if (entry.kind != files::Kind::file) continue;
    const auto listed = integrity.sums.find(entry.path);
    const canon::Digest digest =
        listed != integrity.sums.end()
            ? listed->second
            : canon::sha256(files::read_input_beneath(root, entry.path, {evidence::kMaxSumsBytes}));
    list.push_back({entry.path, digest, entry.size_bytes});
  }
  return list;
}

service::Destination destination(Invocation& call, const std::string& bag) {
  const auto out = call.value("--out"), medium = call.value("--media");
  if (out.has_value() == medium.has_value()) throw Error(Code::usage, "destination", "give --out DIR or --media DIR");
  return {.path = medium ? *medium : *out,
          .is_medium = medium.has_value(),
          .allow_fixed = call.flag("--allow-fixed"),
          .below = "STELLA-EVIDENCE/" + bag};
}

// Copies one bag out, reads it back and says so in the journal, unless that is said.
canon::Json export_bag(Invocation& call, journal::Journal& journal, const journal::RunRow& row,
                       const journal::SealedBag& bag) {
  const evidence::Integrity integrity = evidence::check_integrity(row.folder + "/evidence/" + bag.name);
  const std::vector<media::File> list = files_of(integrity);
  std::uint64_t total = 0;
  for (const media::File& file : list) total += file.size_bytes;
  const service::Delivered delivered =
      deliver(destination(call, bag.name), list, media::from_folder(integrity.folder), "export");
  const media::Copied& copied = delivered.copied;
  const journal::NewEvent event{"pack.evidence.exported",
                                "",
                                {{"list", integrity.list_digest.tagged()},
                                 {"fileSystem", delivered.file_system},
                                 {"removable", delivered.removable}}};
  // A copy that a killed call had finished is there and read back, and nobody has said so yet.
  if (copied.outcome == media::Outcome::written || !bag.exported)
    (void)journal.append(row.id, std::span(&event, 1), {}, call.clock().now());
  call.out().say(fmt::format(
      "{} {}", copied.outcome == media::Outcome::written ? "exported and read back:" : "already there, read back:",
      copied.folder));
  if (!copied.cache_bypassed)
    call.out().note(
        "note: this file system has no direct reads, so the read-back may have come from memory; replug and run "
        "evidence verify");
  return {{"folder", copied.folder},
          {"list", integrity.list_digest.tagged()},
          {"files", list.size()},
          {"bytes", total},
          {"cacheBypassed", copied.cache_bypassed}};
}

// The newest bag, and with it each earlier one that was never taken out.
int export_run(Invocation& call) {
  const std::string run = call.value("--run") ? call.need("--run") : call.need("RUN");
  journal::Journal journal = journal::Journal::open(call.home());
  const journal::RunRow row = journal.need(run);
  const std::string newest = newest_bag(journal, row);
  const journal::SealedBags bags = journal::sealed_bags_of(journal, row);
  journal::SealedBag last{.name = newest, .list = {}};
  for (const journal::SealedBag& bag : bags.all())
    if (bag.name == newest) last = bag;
  canon::Json result = export_bag(call, journal, row, last);
  result["runId"] = row.id;
  canon::Json earlier = canon::Json::array();
  for (const journal::SealedBag& bag : bags.all())
    if (bag.name != newest && !bag.exported && !bag.gone) earlier.push_back(export_bag(call, journal, row, bag));
  call.out().say(fmt::format("next, on any Linux: cd {} && sha256sum -c --strict SHA256SUMS",
                             result["folder"].get<std::string>()));
  result["earlier"] = std::move(earlier);
  call.out().result(result);
  return 0;
}

}  // namespace

std::vector<Command> evidence_commands() {
  const Option trust{"--trust", "ADMIN.pub",
                     "a site admin's public key; repeatable (default: those pinned in the home)", false, true};
  return {
      {{"evidence", "verify"},
       "prove where a bag comes from and that its run was allowed",
       "stella evidence verify /media/stick --trust admin.pub",
       {{"PATH", "the bag, or a medium that holds one"}},
       {trust, {"--integrity-only", "", "only that every byte is as listed"}},
       verify},
      {{"evidence", "show"},
       "what is in a bag",
       "stella evidence show /media/stick",
       {{"PATH", "the bag, or a medium that holds one"}},
       {},
       show},
      {{"pack", "runs", "export"},
       "write a run's evidence to a medium and read it back",
       "stella pack runs export --run run:plant-7:20261123T165433120Z --media /media/stick",
       {{"RUN", "the run", false}},
       {{"--run", "RUN", "the run"},
        {"--out", "DIR", "a plain folder"},
        {"--media", "DIR", "the mount point of a removable medium"},
        {"--allow-fixed", "", "let --media be a plain folder"}},
       export_run},
  };
}

}  // namespace stella::cli
