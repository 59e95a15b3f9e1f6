// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "bundles/canon/fields.hpp"
#include "bundles/files/named.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/catalog/lock.hpp"
#include "mirror/intake/feed.hpp"
#include "mirror/intake/refusal.hpp"
#include "mirror/intake/selection.hpp"
#include "mirror/intake/transfer.hpp"
#include "mirror/intake/trust_root.hpp"
#include "mirror/metadata/verify.hpp"
#include "mirror/receipts/receipt.hpp"

namespace stella::intake {
namespace {

using fault::Code;

// What the steps of one pull share.
struct Import {
  const PullRequest& request;
  const site::Identity& identity;
  std::optional<site::Applied> site;
  catalog::Catalog catalog;
  blobs::Store store;
  [[nodiscard]] const site::Policy* policy() const { return site ? &site->policy : nullptr; }
};

metadata::Held load_held(const catalog::Catalog& catalog) {
  const std::optional<catalog::Generation> current = catalog.current();
  if (!current) return {};
  metadata::Held held{.generation = current->number, .timestamp = current->timestamp, .roles = {}, .issued = {}};
  held.issued = clock::parse_time(current->issued, Code::mirror_digest, "catalog.db");
  const std::string name = fmt::format("{}.snapshot.json", current->number);
  const auto documents = catalog.documents();
  const metadata::Document document = metadata::parse_document(documents.at(name), name, metadata::kMaxSnapshot);
  for (const auto& [role, meta] : metadata::parse_snapshot(document.part, name).roles) held.roles.push_back(role);
  return held;
}

metadata::Verified verify(const Import& import, Feed& feed, metadata::TrustedRoot trusted) {
  const metadata::Held held = load_held(import.catalog);
  // A clock that was set back must not make old metadata look fresh: time never runs behind what was signed.
  const metadata::Freshness freshness{
      .now = std::max(import.request.clock.now(), held.issued),
      .max_age = import.policy() ? import.policy()->mirror_max_age : clock::Duration(0)};
  const auto read = [&](const std::string& name, std::uint64_t max_bytes) {
    return feed.document("metadata/" + name, max_bytes);
  };
  return metadata::verify_update(std::move(trusted), read, held, freshness);
}

std::vector<volumes::Row> load_rows(Feed& feed, const metadata::Verified& verified) {
  const auto& targets = verified.targets.targets;
  const auto target = targets.find(volumes::kIndexName);
  if (target == targets.end() || targets.size() != 1 || target->second.length > volumes::kMaxIndex) {
    throw fault::Error(Code::mirror_malformed, "json", "targets.json must sign data/index.jsonl and nothing else",
                       "targets.json");
  }
  const std::optional<std::string> text = feed.document(volumes::kIndexName, target->second.length + 1);
  if (!text)
    throw fault::Error(Code::mirror_malformed, "missing", "the bundle has no data/index.jsonl", volumes::kIndexName);
  if (text->size() != target->second.length || canon::sha256(*text) != target->second.digest) {
    throw fault::Error(Code::mirror_digest, "index", "data/index.jsonl is not the file that was signed",
                       volumes::kIndexName);
  }
  std::vector<volumes::Row> rows = volumes::parse_index(*text);
  const std::optional<std::string> hint = feed.document("bundle.json", 65536);
  if (hint && *hint != volumes::write_hint(verified.source(), verified.generation(), rows)) {
    throw fault::Error(Code::mirror_malformed, "hint", "bundle.json does not describe the bundle that is signed",
                       "bundle.json");
  }
  return rows;
}

// Whether this very generation, chosen the same way, is here with all its blobs.
bool is_held(const Import& import, const metadata::Verified& verified, const Selection& selection) {
  const std::optional<catalog::Generation> current = import.catalog.current();
  if (!current || current->number != verified.generation()) return false;
  std::size_t listed = 0;
  for (const catalog::Pack& pack : import.catalog.packs()) listed += pack.generation == current->number ? 1 : 0;
  if (listed != selection.packs.size()) return false;
  return std::ranges::all_of(selection.packs, [&](const catalog::Pack& wanted) {
    const std::optional<catalog::Pack> held = import.catalog.find(wanted.name_version());
    return held && held->generation == current->number && import.store.holds(held->manifest) &&
           std::ranges::all_of(held->blobs, [&](const blobs::Blob& blob) { return import.store.holds(blob); });
  });
}

canon::Json skipped_json(const std::vector<catalog::Skipped>& skipped) {
  canon::Json list = canon::Json::array();
  for (const catalog::Skipped& item : skipped) list.push_back({{"pack", item.name_version}, {"reason", item.reason}});
  return list;
}

void write_receipt(const Import& import, const metadata::Verified& verified, const PullResult& result,
                   const std::string& from) {
  const std::string& timestamp = verified.texts.at("timestamp.json");
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(result.age).count();
  const canon::Json details = {{"from", canon::printable(from, 200)},
                               {"by", canon::printable(import.request.by, 200)},
                               {"source", result.source},
                               {"generation", result.generation},
                               {"previous", result.previous},
                               {"rootVersion", verified.root.root.header.version},
                               {"added", result.added},
                               {"skipped", skipped_json(result.skipped)},
                               {"blobs", {{"stored", result.stored_blobs}, {"kept", result.kept_blobs}}},
                               {"bytes", result.stored_bytes},
                               {"ageSeconds", age},
                               {"expired", result.expired}};
  const dsse::Subject subject{fmt::format("{}-g{}", result.source, result.generation), canon::sha256(timestamp)};
  const std::string outcome = result.outcome == Outcome::accepted ? "accepted" : "unchanged";
  const std::int64_t number = receipts::append(import.request.home, import.identity, import.request.clock.now(),
                                               {.outcome = outcome, .subject = subject, .details = details});
  import.catalog.note_receipt(result.generation, number);
}

// A crash after the commit left the generation without index.json, metadata/ or receipt: they are made up for here.
void finish_interrupted(const Import& import) {
  const std::optional<catalog::Generation> current = import.catalog.current();
  if (!current) return;
  catalog::write_derived(import.request.home, import.catalog);
  if (current->receipt != 0) return;
  const dsse::Subject subject{fmt::format("{}-g{}", current->source, current->number),
                              canon::sha256(import.catalog.documents().at("timestamp.json"))};
  const canon::Json details = {{"source", current->source}, {"generation", current->number}, {"recovered", true}};
  const std::int64_t number = receipts::append(import.request.home, import.identity, import.request.clock.now(),
                                               {.outcome = "accepted", .subject = subject, .details = details});
  import.catalog.note_receipt(current->number, number);
}

void bring_in(const Import& import, Feed& feed, const metadata::Verified& verified, Selection selection,
              PullResult& result) {
  const std::vector<volumes::Row> rows = load_rows(feed, verified);
  if (is_held(import, verified, selection)) return;
  const Transferred moved = transfer(import.store, feed, rows, selection.packs, import.request.note);
  result.outcome = Outcome::accepted;
  result.stored_blobs = moved.stored_blobs;
  result.stored_bytes = moved.stored_bytes;
  result.kept_blobs = moved.kept_blobs;
  for (const catalog::Pack& pack : selection.packs) {
    if (!import.catalog.find(pack.name_version())) result.added.push_back(pack.name_version());
  }
  catalog::Catalog::Activation activation;
  activation.generation = {.number = verified.generation(),
                           .source = verified.source(),
                           .issued = clock::format(verified.timestamp.header.origin.issued),
                           .pulled_at = clock::format(import.request.clock.now()),
                           .timestamp = verified.timestamp_canonical};
  activation.documents = verified.texts;
  activation.packs = std::move(selection.packs);
  activation.skipped = std::move(selection.skipped);
  import.catalog.activate(activation);
  catalog::write_derived(import.request.home, import.catalog);
  files::crash_point("intake.derived");
}

PullResult run(const Import& import) {
  finish_interrupted(import);
  Trust trust = load_trust(import.request.home, import.policy());
  const std::string from = import.request.from.empty() ? find_medium() : import.request.from;
  const std::unique_ptr<Feed> feed = open_feed(from, trust.source);
  const metadata::Verified verified = verify(import, *feed, std::move(trust.root));
  import.request.note(fmt::format("{}: generation {} of {}, metadata verified", canon::printable(feed->name(), 200),
                                  verified.generation(), verified.source()));
  store_roots(import.request.home, verified.root);

  PullResult result;
  const std::optional<catalog::Generation> current = import.catalog.current();
  result.source = verified.source();
  result.generation = verified.generation();
  result.previous = current ? current->number : 0;
  result.age = verified.age;
  result.is_old = import.policy() && verified.age > import.policy()->mirror_warn_age;
  result.expired = verified.expired;
  Selection selection = select_packs(verified, import.policy());
  for (const catalog::Pack& pack : selection.packs) import.catalog.require_unchanged(pack.name_version(), pack.digest);
  for (const catalog::Skipped& pack : selection.skipped)
    import.catalog.require_unchanged(pack.name_version, pack.digest);
  result.skipped = selection.skipped;
  bring_in(import, *feed, verified, std::move(selection), result);
  write_receipt(import, verified, result, feed->name());
  return result;
}

// The refusal is what must reach the caller, also when it cannot be written down.
void record_or_note(const PullRequest& request, const site::Identity& identity, const fault::Error& refusal) {
  try {
    record_refusal(request.home, identity, request.clock.now(), {.from = files::plain(request.from), .by = request.by},
                   refusal);
  } catch (const fault::Error& error) {
    request.note(fmt::format("the refusal could not be recorded: {}", error.what()));
  }
}

}  // namespace

PullResult pull(const PullRequest& request) {
  const files::Fd lock = catalog::lock_registry(request.home);
  const site::Identity identity = site::load_identity(request.home);
  try {
    const Import import{.request = request,
                        .identity = identity,
                        .site = site::load_applied(request.home),
                        .catalog = catalog::Catalog::open(request.home),
                        .store = blobs::Store(request.home.mirror())};
    return run(import);
  } catch (const fault::Error& error) {
    if (is_refusal(error)) record_or_note(request, identity, error);
    throw;
  }
}

}  // namespace stella::intake
