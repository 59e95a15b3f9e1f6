// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/replay.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "bundles/approval/ledger.hpp"
#include "bundles/approval/plan_view.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/floor.hpp"
#include "bundles/evidence/gates.hpp"
#include "bundles/evidence/journal_lines.hpp"
#include "bundles/files/read.hpp"
#include "bundles/sshsig/signature.hpp"

namespace stella::evidence {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxDocument = std::uint64_t{64} << 20, kMaxJournal = std::uint64_t{1} << 30;
constexpr std::string_view kRunType = "https://slsa.dev/provenance/v1", kPackType = "urn:stella:pack:v1";

// The appliance of the policy that signed this envelope.
const site::Appliance& require_appliance(const dsse::Envelope& envelope, const site::Policy& policy,
                                         const std::string& name) {
  for (const site::Appliance& appliance : policy.appliances) {
    const std::array keys{appliance.key};
    if (envelope.signatures.size() != 1 || !dsse::find_signer(envelope, envelope.signatures.front(), keys)) continue;
    if (policy.is_revoked(appliance.key)) {
      throw Error(Code::evidence_untrusted, "revoked",
                  fmt::format("{} was signed by {}, whose key the policy revokes", name, appliance.id), name);
    }
    return appliance;
  }
  throw Error(Code::evidence_untrusted, "unknown-signer",
              fmt::format("no appliance of site {} signed {}", policy.site, name), name,
              "This bag was not sealed by an appliance of your site: do not rely on it.");
}

dsse::Statement read_statement(const Integrity& bag, const std::string& path, std::string_view type,
                               dsse::Envelope& envelope) {
  envelope = dsse::parse(read_listed(bag, path, kMaxDocument), Code::evidence_tampered, path);
  return dsse::parse_statement(envelope, type, Code::evidence_tampered, path);
}

// The list is not in the list: it is read on its own, and its digest was compared in check_integrity.
std::string read_unlisted(const Integrity& bag, const std::string& path) {
  return files::read_input_beneath(files::open_folder(bag.folder), path, {kMaxSumsBytes});
}

void prove_list(const Integrity& bag, const site::Policy& policy, Report& report) {
  const std::string name = "SHA256SUMS.dsse.json";
  const auto envelope = dsse::parse(read_unlisted(bag, name), Code::evidence_tampered, name);
  const site::Appliance& appliance = require_appliance(envelope, policy, name);
  const auto statement = dsse::parse_statement(envelope, kListType, Code::evidence_tampered, name);
  canon::Fields fields(statement.predicate, Code::evidence_tampered, "list", name);
  report.run = fields.text("run");
  report.tenant = fields.text("tenant");
  report.state = fields.text("state");
  report.number = fields.integer("number", 1, std::int64_t{1} << 53);
  report.home_kind = fields.text("home");
  const canon::Json& previous = fields.any("previous");
  report.previous = previous.is_string() ? previous.get<std::string>() : "";
  report.appliance = appliance.id;
  const std::string list = read_unlisted(bag, "SHA256SUMS");
  const auto signature =
      sshsig::parse(read_unlisted(bag, "SHA256SUMS.sshsig"), Code::evidence_tampered, "SHA256SUMS.sshsig");
  if (canon::sha256(list) != bag.list_digest ||
      !sshsig::is_signed_by(signature, appliance.key, sshsig::kEvidence, list)) {
    throw Error(Code::evidence_untrusted, "unknown-signer",
                fmt::format("{} did not sign SHA256SUMS.sshsig", appliance.id), "SHA256SUMS.sshsig");
  }
  report.proven.push_back(fmt::format(
      "origin: sealed by appliance {} of site {} as its bag number {}{}", appliance.id, policy.site, report.number,
      report.previous.empty() ? ", the first" : ", after " + report.previous.substr(0, 19) + "…"));
}

void prove_pack(const Integrity& bag, const site::Policy& policy, const approval::PlanView& plan, Report& report) {
  const std::string name = "trust/pack.dsse.json", name_version = plan.pack_name + ":" + plan.pack_version;
  dsse::Envelope envelope;
  const auto statement = read_statement(bag, name, kPackType, envelope);
  if (statement.subjects.size() != 1 || statement.subjects.front().name != name_version ||
      statement.subjects.front().digest != plan.pack_digest) {
    throw Error(Code::evidence_tampered, "pack", fmt::format("{} signs another pack than the plan names", name), name);
  }
  for (const site::Publisher& publisher : policy.publishers) {
    const std::array keys{publisher.key};
    if (envelope.signatures.size() != 1 || !dsse::find_signer(envelope, envelope.signatures.front(), keys)) continue;
    if (policy.is_revoked(publisher.key) || !site::matches_any(publisher.packs, plan.pack_name)) break;
    report.proven.push_back(fmt::format("pack: {} ({}…) was signed by publisher {}", name_version,
                                        plan.pack_digest.tagged().substr(0, 19),
                                        canon::printable(publisher.name, 100)));
    return;
  }
  throw Error(Code::evidence_untrusted, "publisher",
              fmt::format("no publisher of the site policy signed {}", name_version), name);
}

void prove_run(const Integrity& bag, const site::Policy& policy, const approval::PlanView& plan,
               const JournalLines& journal, const Report& report) {
  const std::string name = "attestations/run.dsse.json";
  dsse::Envelope envelope;
  const auto statement = read_statement(bag, name, kRunType, envelope);
  if (const site::Appliance& signer = require_appliance(envelope, policy, name); signer.id != report.appliance) {
    throw Error(Code::evidence_tampered, "attestation",
                fmt::format("{} is signed by {}, the list by {}", name, signer.id, report.appliance), name);
  }
  const bool about_plan = std::any_of(
      statement.subjects.begin(), statement.subjects.end(),
      [&](const dsse::Subject& subject) { return subject.name == "plan.json" && subject.digest == plan.hash; });
  const canon::Json& details = statement.predicate.at("runDetails");
  const canon::Json& sealed = details.at("stella");
  const auto same = [&](const std::string& what, const canon::Json& stated, const canon::Json& found) {
    if (stated != found)
      throw Error(Code::evidence_tampered, "attestation",
                  fmt::format("{} says {} {}, the bag shows {}", name, what, stated.dump(), found.dump()), name);
  };
  if (!about_plan)
    throw Error(Code::evidence_tampered, "plan-hash", fmt::format("{} is about another plan than data/plan.json", name),
                name);
  same("run", details.at("metadata").at("invocationId"), report.run);
  same("state", sealed.at("state"), report.state);
  same("journal seq", sealed.at("journal").at("seq"), static_cast<std::int64_t>(journal.lines.size()));
  same("journal head", sealed.at("journal").at("head"), journal.head);
  if (report.tenant != plan.tenant)
    throw Error(Code::evidence_tampered, "tenant",
                fmt::format("the list is of tenant {}, the plan of {}", canon::printable(report.tenant, 80),
                            canon::printable(plan.tenant, 80)),
                "data/plan.json");
}

void prove_journal(const JournalLines& journal, const approval::PlanView& plan, Report& report) {
  const auto refuse = [](const std::string& what) {
    throw Error(Code::evidence_tampered, "journal", what, "journal.jsonl");
  };
  if (journal.lines.empty()) refuse("the journal is empty");
  if (journal.lines.front().run != report.run) refuse("the journal is of another run");
  if (journal.lines.back().type != "pack.run." + report.state)
    refuse(fmt::format("the journal ends in {}, the list says {}", journal.lines.back().type, report.state));
  bool planned = false;
  const approval::Order order = order_of(plan, journal);
  for (const JournalLine& line : journal.lines) {
    if (line.type == "pack.step.started" && !order.graph.has(line.step))
      refuse(fmt::format("step {} was started and is not in the plan", canon::printable(line.step, 80)));
    if (line.type == "pack.run.planned" && line.data.value("planHash", "") != plan.hash.tagged())
      refuse("the run was planned with another plan");
    planned = planned || line.type == "pack.run.planned";
    if (!planned && line.type == "pack.step.started") refuse("a step was started before the run was planned");
  }
  if (!planned) refuse("the journal never says with which plan the run was planned");
  report.proven.push_back(fmt::format("journal: {} events, numbered and chained without a gap, end in {}",
                                      journal.lines.size(), journal.lines.back().type));
}

// Bags of older versions have none.
void prove_simulation(const Integrity& bag, const JournalLines& journal, Report& report) {
  const std::string name = "data/simulation.json";
  if (!bag.sums.contains(name)) return;
  canon::Json recorded;
  for (const JournalLine& line : journal.lines) {
    if (line.type == "pack.run.planned") recorded = line.data.value("simulation", canon::Json());
  }
  if (read_listed(bag, name, kMaxDocument) != canon::canonical(recorded))
    throw Error(Code::evidence_tampered, "simulation",
                "data/simulation.json is not what the journal recorded when the run was planned", name);
  report.proven.push_back("simulation: what was foreseen is what the journal recorded with the plan");
}

void prove_ledger(const Integrity& bag, const site::Policy& policy, Report& report) {
  if (!bag.sums.contains("approvals/approvals.jsonl")) return;
  const auto view =
      approval::parse_ledger(read_listed(bag, "approvals/approvals.jsonl", kMaxJournal), "approvals/approvals.jsonl");
  std::vector<trust::PublicKey> keys;
  for (const site::Appliance& appliance : policy.appliances) keys.push_back(appliance.key);
  const std::string origin = approval::ledger_origin(report.appliance, report.tenant);
  const auto checkpoint = approval::verify_checkpoint(read_listed(bag, "approvals/checkpoint.txt", 16384), origin, keys,
                                                      "approvals/checkpoint.txt");
  approval::require_consistent(checkpoint, view.leaves, "approvals/approvals.jsonl");
  report.proven.push_back(
      fmt::format("ledger: {} lines, chained, under the appliance's checkpoint", view.lines.size()));
}

Report replay_all(const Integrity& integrity, const site::TrustRule& trust) {
  Report report;
  const auto applied = site::verify_policy(read_listed(integrity, "trust/site.dsse.json", kMaxDocument),
                                           "trust/site.dsse.json", trust, Code::evidence_untrusted);
  const site::Policy& policy = applied.policy;
  report.proven.push_back(fmt::format("site: policy {} version {} ({}…) is signed by the admins you trust",
                                      canon::printable(policy.site, 100), policy.version,
                                      policy.digest.tagged().substr(0, 19)));
  prove_list(integrity, policy, report);
  report.proven.push_back(
      fmt::format("integrity: {} files, {} bytes, each as it was sealed; nothing added, nothing missing",
                  integrity.sums.size(), integrity.bytes));
  const approval::PlanView plan =
      approval::read_plan(read_listed(integrity, "data/plan.json", kMaxDocument), "data/plan.json");
  report.plan_hash = plan.hash.tagged();
  report.proven.push_back(fmt::format("plan: {} is the hash of data/plan.json", report.plan_hash));
  prove_pack(integrity, policy, plan, report);
  prove_floor(policy, plan, report);
  const JournalLines journal = parse_journal(read_listed(integrity, "journal.jsonl", kMaxJournal));
  prove_run(integrity, policy, plan, journal, report);
  prove_journal(journal, plan, report);
  prove_simulation(integrity, journal, report);
  prove_ledger(integrity, policy, report);
  prove_gates(integrity, trust, policy, plan, journal, report);
  report.word = {"what the steps did, printed and left as artifacts, and when",
                 "that nothing ran on the appliance which is not in its numbered bags"};
  if (report.home_kind == "personal") {
    report.word.emplace_back(
        "everything that the home's owner could change before sealing: the home is personal, so only other people's "
        "signatures prove anything against them");
  }
  return report;
}

}  // namespace

Report replay(const Integrity& integrity, const site::TrustRule& trust) {
  try {
    return replay_all(integrity, trust);
  } catch (const canon::Json::exception& error) {
    // A document with a member of another type than ours: not written by stella.
    throw Error(Code::evidence_tampered, "shape",
                fmt::format("a document of the bag has not the shape it should: {}", error.what()), integrity.folder);
  }
}

}  // namespace stella::evidence
