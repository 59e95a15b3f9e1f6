// SPDX-License-Identifier: Apache-2.0
#include "appliance/attest/seal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "appliance/attest/log_files.hpp"
#include "appliance/attest/provenance.hpp"
#include "appliance/attest/readme.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/check.hpp"
#include "bundles/evidence/names.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::attest {
namespace {

using fault::Code;
using fault::Error;

constexpr std::uint64_t kReserve = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kMaxFile = std::uint64_t{64} << 20, kMaxLedger = std::uint64_t{1} << 30;

std::string last_path(const files::Home& home) {
  return home.runs() + "/evidence.json";
}

// Held while a bag gets its number; dies with the process.
files::Fd lock_numbers(const files::Home& home) {
  files::make_folders(home.runs());
  const std::string path = home.runs() + "/evidence.lock";
  files::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw fault::system_error(errno, "locking", path);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw fault::system_error(errno, "locking", path);
  }
  return fd;
}

bool is_file(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// What of the secrets may be known: never a value.
canon::Json secrets_json(const Facts& facts) {
  std::map<std::string, canon::Json> rows;
  for (const journal::Event& event : facts.events) {
    if (event.type != "pack.secret.leased") continue;
    canon::Json row{
        {"name", event.data.at("name")}, {"scope", event.data.at("scope")}, {"version", event.data.at("version")}};
    if (event.data.contains("lastFour") && event.data.at("lastFour").is_string())
      row["lastFour"] = event.data.at("lastFour");
    rows[canon::canonical(row)] = row;
  }
  canon::Json list = canon::Json::array();
  for (const auto& row : rows) list.push_back(row.second);
  return {{"secrets", list}};
}

bool can_be_read(const std::string& root, const std::string& path) {
  try {
    (void)files::open_beneath(files::open_folder(root), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return true;
  } catch (const Error& error) {
    if (error.code() == Code::file_unsuitable || error.code() == Code::file_not_found) return false;
    throw;
  }
}

void add_tree(evidence::BagWriter& bag, evidence::SafeNames& names, const std::string& root, const std::string& prefix,
              std::map<std::string, canon::Digest>& digests, canon::Json& left_out) {
  const files::Listing tree = files::list_hostile_tree(root);
  const auto leave_out = [&](const std::string& path, std::string_view why) {
    left_out.push_back({{"path", canon::printable(prefix + "/" + path)}, {"why", why}});
  };
  for (const std::string& path : tree.unlisted)
    leave_out(path, "it could not be listed: too deep, too many, or closed");
  for (const files::Entry& entry : tree.entries) {
    if (entry.kind == files::Kind::folder) continue;
    if (entry.kind != files::Kind::file) {  // links and devices prove nothing and can mislead: named, not copied
      leave_out(entry.path, "not a regular file");
      continue;
    }
    if (!can_be_read(root, entry.path)) {  // a step must not keep its run from being sealed
      leave_out(entry.path, "it could not be opened");
      continue;
    }
    const std::string name = names.name(prefix, entry.path);
    digests[name] = bag.add_file(name, root, entry.path);
  }
}

void add_approvals(evidence::BagWriter& bag, const Facts& facts) {
  const std::string folder = facts.row.folder + "/approvals";
  for (const files::Entry& entry : files::list_tree(folder)) {
    if (entry.kind == files::Kind::file && entry.path.ends_with(".json"))
      bag.add_file("approvals/" + entry.path, folder, entry.path);
  }
  const std::string ledger = facts.home.runs() + "/ledger/" + facts.row.tenant;
  for (const std::string name : {"approvals.jsonl", "checkpoint.txt"}) {
    if (is_file(ledger + "/" + name))
      bag.add("approvals/" + name, files::read_input(ledger + "/" + name, {kMaxLedger}));
  }
}

void add_trust(evidence::BagWriter& bag, const Facts& facts, const site::Identity& identity) {
  bag.add("trust/site.dsse.json", facts.planned_under.envelope_bytes);
  const auto& policy = facts.planned_under.policy;
  int number = 0;
  for (const dsse::Envelope& envelope : facts.pack.signatures) {
    for (const site::Publisher& publisher : policy.publishers) {
      const std::array keys{publisher.key};
      if (envelope.signatures.size() != 1 || !dsse::find_signer(envelope, envelope.signatures.front(), keys)) continue;
      // Only a signature that let the pack in: an auditor would refuse the bag for a revoked or foreign one before it.
      if (policy.is_revoked(publisher.key) || !site::matches_any(publisher.packs, facts.pack.name)) continue;
      ++number;
      bag.add(number == 1 ? "trust/pack.dsse.json" : fmt::format("trust/pack-{}.dsse.json", number),
              dsse::serialise(envelope));
      break;
    }
  }
  bag.add("trust/allowed_signers", identity.key.public_key().ssh_line(identity.id, "stella-evidence") + "\n");
}

std::string journal_text(const Facts& facts) {
  std::string text;
  for (const journal::Event& event : facts.events) text += event.line + "\n";
  return text;
}

// What was foreseen when the run was planned last: of the plan that lies beside it. Empty: a run of an older version.
std::string simulation_text(const Facts& facts) {
  const auto planned = std::find_if(facts.events.rbegin(), facts.events.rend(),
                                    [](const journal::Event& event) { return event.type == "pack.run.planned"; });
  if (planned == facts.events.rend()) return {};
  const canon::Json line = canon::parse_json(planned->line, Code::journal_tampered, "pack.run.planned");
  const auto found = line.at("data").find("simulation");
  return found == line.at("data").end() ? std::string() : canon::canonical(*found);
}

// A sparse file costs its writer nothing and a copy everything: so a bag that would fill the disk is not begun, and the
// journal, the ledger and `runs cancel` keep room to work in.
void require_space(const Facts& facts) {
  std::uint64_t needed = kReserve;
  for (const std::string place : {"/logs", "/artifacts"}) {
    for (const files::Entry& entry : files::list_hostile_tree(facts.row.folder + place).entries) {
      needed += entry.size_bytes;
    }
  }
  const std::uint64_t free = files::free_bytes(facts.row.folder);
  if (needed <= free) return;
  throw Error(
      Code::artifact_store, "full",
      fmt::format("the evidence of {} needs {} bytes, {} are free", facts.row.id, needed, free), facts.row.id,
      fmt::format("Free space, or look at what lies in {}/artifacts; then `stella pack runs resume --run {}` seals it.",
                  facts.row.folder, facts.row.id));
}

Sealed write_bag(const Facts& facts, const std::string& folder, const site::Identity& identity) {
  require_space(facts);
  const Last before = last_bag(facts.home);
  evidence::BagWriter bag(folder);
  evidence::SafeNames names;
  Products products;
  canon::Json left_out = canon::Json::array();
  bag.add("data/plan.json", facts.plan.bytes);
  if (const std::string simulation = simulation_text(facts); !simulation.empty())
    bag.add("data/simulation.json", simulation);
  bag.add("data/inputs.json", files::read_input(facts.row.folder + "/inputs.json", {kMaxFile}));
  bag.add("data/secrets.json", canon::pretty(secrets_json(facts)));
  add_logs(bag, names, facts, products.logs);
  add_tree(bag, names, facts.row.folder + "/artifacts", "data/artifacts", products.artifacts, left_out);
  add_trust(bag, facts, identity);
  add_approvals(bag, facts);
  bag.add("journal.jsonl", journal_text(facts));
  const std::int64_t number = before.number + 1;
  const clock::Time sealed_at = facts.events.back().at;
  bag.add("custody.jsonl", canon::canonical({{"what", "sealed"},
                                             {"at", clock::format(sealed_at)},
                                             {"by", identity.id},
                                             {"run", facts.row.id},
                                             {"number", number}}) +
                               "\n");
  canon::Json changed = names.changed();
  changed["leftOut"] = left_out;
  bag.add("names.json", canon::pretty(changed));
  bag.add("attestations/run.dsse.json", dsse::serialise(dsse::sign(provenance(facts, products), identity.key)));
  bag.add("00-README.txt", readme(identity.id, facts.row.id));
  const evidence::About about{
      facts.row.id, facts.row.tenant, facts.row.state, site::home_kind(facts.home),
      number,       before.list,      sealed_at,       fmt::format("stella {}", STELLA_VERSION)};
  return {folder, number, bag.finish(about, identity.key).tagged()};
}

// What came after the run's end (an export, an earlier try to seal) is not part of it.
std::span<const journal::Event> until_the_end(const Facts& facts) {
  for (std::size_t count = facts.events.size(); count > 0; --count) {
    if (facts.events[count - 1].type == "pack.run." + facts.row.state) return facts.events.first(count);
  }
  throw Error(Code::journal_tampered, "end",
              fmt::format("{} is {}, and no event says so", facts.row.id, facts.row.state), facts.row.id);
}

// A bag that stands complete at its place was sealed by a call that did not live to say so.
Sealed adopt(const std::string& folder) {
  const evidence::Integrity integrity = evidence::check_integrity(folder);
  const std::string text = files::read_input(folder + "/SHA256SUMS.dsse.json", {kMaxFile});
  const auto statement = dsse::parse_statement(dsse::parse(text, Code::evidence_tampered, folder), evidence::kListType,
                                               Code::evidence_tampered, folder);
  return {folder, statement.predicate.at("number").get<std::int64_t>(), integrity.list_digest.tagged()};
}

}  // namespace

Last last_bag(const files::Home& home) {
  if (!is_file(last_path(home))) return {};
  const canon::Json json =
      canon::parse_json(files::read_input(last_path(home), {65536}), Code::journal_tampered, last_path(home));
  canon::Fields fields(json, Code::journal_tampered, "evidence", last_path(home));
  Last last{fields.integer("number", 1, std::int64_t{1} << 53), fields.text("list")};
  fields.finish();
  return last;
}

journal::Event kept_of(const journal::Event& event) {
  journal::Event kept{.seq = event.seq,
                      .at = event.at,
                      .type = event.type,
                      .run = {},
                      .step = event.step,
                      .attempt = event.attempt,
                      .prev = {},
                      .data = canon::Json::object(),
                      .line = event.line};
  if (event.type == "pack.secret.leased" || event.type == "pack.evidence.sealed") kept.data = event.data;
  if (event.type != "pack.step.finished") return kept;
  for (const char* name : {"try", "logSha256", "logBytes"}) {
    if (const auto found = event.data.find(name); found != event.data.end()) kept.data[name] = *found;
  }
  return kept;
}

Sealed seal(const Facts& given) {
  Facts facts = given;
  facts.events = until_the_end(given);
  try {
    const site::Identity identity = site::load_identity(facts.home);
    const files::Fd lock = lock_numbers(facts.home);
    const std::string folder =
        facts.row.folder + "/evidence/" + evidence::bag_name(facts.row.tenant, facts.events.back().at, facts.plan.hash);
    struct stat info {};
    const Sealed sealed = ::lstat(folder.c_str(), &info) == 0 ? adopt(folder) : write_bag(facts, folder, identity);
    if (last_bag(facts.home).number < sealed.number) {
      files::write_atomically(last_path(facts.home),
                              canon::canonical({{"number", sealed.number}, {"list", sealed.list}}), 0600);
    }
    return sealed;
  } catch (const Error& error) {
    if (error.code() != Code::no_space) throw;
    throw Error(Code::artifact_store, "full", fmt::format("the evidence could not be written: {}", error.what()),
                error.at());
  }
}

}  // namespace stella::attest
