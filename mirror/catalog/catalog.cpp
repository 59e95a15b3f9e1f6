// SPDX-License-Identifier: Apache-2.0
#include "mirror/catalog/catalog.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "bundles/canon/json.hpp"
#include "bundles/files/write.hpp"

namespace stella::catalog {
namespace {

using fault::Code;

constexpr std::int32_t kApplication = 0x53544d43;  // "STMC"
constexpr std::string_view kFirst = R"sql(
CREATE TABLE generation (number INTEGER PRIMARY KEY, source TEXT NOT NULL, issued TEXT NOT NULL, pulled_at TEXT NOT NULL,
  timestamp TEXT NOT NULL, receipt INTEGER NOT NULL) STRICT;
CREATE TABLE document (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE pack (name TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL,
  manifest_size INTEGER NOT NULL, tenants TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (name, version)) STRICT;
CREATE TABLE pack_blob (name TEXT NOT NULL, version TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL,
  size INTEGER NOT NULL, PRIMARY KEY (name, version, position)) STRICT;
CREATE TABLE channel (channel TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, origin TEXT NOT NULL,
  PRIMARY KEY (channel, name, version, origin)) STRICT;
CREATE TABLE seen (name_version TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
CREATE TABLE skipped (name_version TEXT PRIMARY KEY, digest TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
)sql";
constexpr std::array kSteps = {kFirst};

std::int64_t whole(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

blobs::Blob blob_of(const std::string& digest, std::int64_t size) {
  return {canon::parse_digest(digest, Code::mirror_digest, "catalog.db"), static_cast<std::uint64_t>(size)};
}

std::string tenants_text(const std::vector<std::string>& tenants) {
  return canon::canonical(canon::Json(tenants));
}

Pack read_pack(const database::Statement& row) {
  Pack pack;
  pack.name = row.text(0);
  pack.version = row.text(1);
  pack.digest = canon::parse_digest(row.text(2), Code::mirror_digest, "catalog.db");
  pack.manifest = blob_of(row.text(3), row.integer(4));
  for (const canon::Json& tenant : canon::parse_json(row.text(5), Code::mirror_digest, "catalog.db")) {
    pack.tenants.push_back(tenant.get<std::string>());
  }
  pack.generation = row.integer(6);
  return pack;
}

constexpr std::string_view kPackColumns =
    "SELECT name, version, digest, manifest, manifest_size, tenants, generation FROM pack";

}  // namespace

bool Pack::is_for(const std::string& tenant) const {
  return tenants.empty() || std::ranges::find(tenants, tenant) != tenants.end();
}

bool Catalog::exists(const files::Home& home) {
  return ::access((home.mirror() + "/catalog.db").c_str(), F_OK) == 0;
}

Catalog Catalog::open(const files::Home& home) {
  files::make_folders(home.mirror());
  database::Options options{.damaged = Code::mirror_digest, .busy = Code::mirror_busy};
  database::Connection connection = database::Connection::open(home.mirror() + "/catalog.db", options);
  connection.migrate(kApplication, kSteps);
  return Catalog(std::move(connection));
}

std::optional<Generation> Catalog::current() const {
  auto row = connection_.prepare(
      "SELECT number, source, issued, pulled_at, timestamp, receipt FROM generation ORDER BY number DESC LIMIT 1");
  if (!row.step()) return std::nullopt;
  return Generation{row.integer(0), row.text(1), row.text(2), row.text(3), row.text(4), row.integer(5)};
}

std::vector<std::int64_t> Catalog::generations() const {
  std::vector<std::int64_t> found;
  auto row = connection_.prepare("SELECT number FROM generation ORDER BY number DESC");
  while (row.step()) found.push_back(row.integer(0));
  return found;
}

bool Catalog::is_promoted(const Pack& pack) const {
  auto row = connection_.prepare("SELECT 1 FROM channel WHERE name = ? AND version = ? AND origin = 'local'");
  row.bind(1, pack.name).bind(2, pack.version);
  return row.step();
}

std::map<std::string, std::string> Catalog::documents() const {
  std::map<std::string, std::string> found;
  for (auto row = connection_.prepare("SELECT name, text FROM document"); row.step();) found[row.text(0)] = row.text(1);
  return found;
}

void Catalog::fill(Pack& pack) const {
  auto channels =
      connection_.prepare("SELECT DISTINCT channel FROM channel WHERE name = ? AND version = ? ORDER BY channel");
  channels.bind(1, pack.name).bind(2, pack.version);
  while (channels.step()) pack.channels.push_back(channels.text(0));
  auto parts =
      connection_.prepare("SELECT digest, size FROM pack_blob WHERE name = ? AND version = ? ORDER BY position");
  parts.bind(1, pack.name).bind(2, pack.version);
  while (parts.step()) pack.blobs.push_back(blob_of(parts.text(0), parts.integer(1)));
}

std::vector<Pack> Catalog::packs() const {
  std::vector<Pack> found;
  auto row = connection_.prepare(std::string(kPackColumns) + " ORDER BY name, version");
  while (row.step()) found.push_back(read_pack(row));
  for (Pack& pack : found) fill(pack);
  return found;
}

std::optional<Pack> Catalog::find(const std::string& name_version) const {
  const std::size_t colon = name_version.find(':');
  if (colon == std::string::npos) return std::nullopt;
  auto row = connection_.prepare(std::string(kPackColumns) + " WHERE name = ? AND version = ?");
  row.bind(1, std::string_view(name_version).substr(0, colon))
      .bind(2, std::string_view(name_version).substr(colon + 1));
  if (!row.step()) return std::nullopt;
  Pack pack = read_pack(row);
  fill(pack);
  return pack;
}

std::vector<Skipped> Catalog::skipped() const {
  std::vector<Skipped> found;
  auto row = connection_.prepare("SELECT name_version, digest, reason FROM skipped ORDER BY name_version");
  while (row.step()) {
    found.push_back({row.text(0), canon::parse_digest(row.text(1), Code::mirror_digest, "catalog.db"), row.text(2)});
  }
  return found;
}

void Catalog::require_unchanged(const std::string& name_version, const canon::Digest& digest) const {
  auto row = connection_.prepare("SELECT digest FROM seen WHERE name_version = ?");
  row.bind(1, name_version);
  if (!row.step() || row.text(0) == digest.tagged()) return;
  throw fault::Error(
      Code::mirror_digest, "changed",
      fmt::format("{} was seen here as {} and now comes as {}", name_version, row.text(0), digest.tagged()),
      name_version, "A version never changes: have the publisher give the new content a new version number.");
}

void Catalog::note_seen(const std::string& name_version, const canon::Digest& digest) const {
  require_unchanged(name_version, digest);
  auto insert = connection_.prepare("INSERT OR IGNORE INTO seen (name_version, digest) VALUES (?, ?)");
  insert.bind(1, name_version).bind(2, digest.tagged());
  insert.run();
}

void Catalog::put(const Pack& pack, std::int64_t generation) const {
  auto row = connection_.prepare("INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?, ?, ?)");
  row.bind(1, pack.name).bind(2, pack.version).bind(3, pack.digest.tagged()).bind(4, pack.manifest.digest.tagged());
  row.bind(5, whole(pack.manifest.size_bytes)).bind(6, tenants_text(pack.tenants)).bind(7, generation);
  row.run();
  auto clear = connection_.prepare("DELETE FROM pack_blob WHERE name = ? AND version = ?");
  clear.bind(1, pack.name).bind(2, pack.version);
  clear.run();
  auto part = connection_.prepare("INSERT INTO pack_blob VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < pack.blobs.size(); ++i) {
    part.bind(1, pack.name).bind(2, pack.version).bind(3, whole(i)).bind(4, pack.blobs[i].digest.tagged());
    part.bind(5, whole(pack.blobs[i].size_bytes));
    part.run();
  }
  auto channel = connection_.prepare("INSERT OR IGNORE INTO channel VALUES (?, ?, ?, 'source')");
  for (const std::string& name : pack.channels) {
    channel.bind(1, name).bind(2, pack.name).bind(3, pack.version);
    channel.run();
  }
}

void Catalog::activate(const Activation& activation) const {
  database::Transaction transaction(connection_);
  const Generation& generation = activation.generation;
  auto row = connection_.prepare("INSERT OR REPLACE INTO generation VALUES (?, ?, ?, ?, ?, 0)");
  row.bind(1, generation.number).bind(2, generation.source).bind(3, generation.issued).bind(4, generation.pulled_at);
  row.bind(5, generation.timestamp);
  row.run();
  connection_.execute("DELETE FROM document; DELETE FROM skipped; DELETE FROM channel WHERE origin = 'source';");
  auto document = connection_.prepare("INSERT INTO document VALUES (?, ?)");
  for (const auto& [name, text] : activation.documents) {
    document.bind(1, name).bind(2, text);
    document.run();
  }
  for (const Pack& pack : activation.packs) {
    note_seen(pack.name_version(), pack.digest);
    put(pack, generation.number);
  }
  auto skip = connection_.prepare("INSERT OR IGNORE INTO skipped VALUES (?, ?, ?)");
  for (const Skipped& skipped : activation.skipped) {
    note_seen(skipped.name_version, skipped.digest);
    skip.bind(1, skipped.name_version).bind(2, skipped.digest.tagged()).bind(3, skipped.reason);
    skip.run();
  }
  files::crash_point("catalog.before-commit");
  transaction.commit();
  files::crash_point("catalog.committed");
}

void Catalog::note_receipt(std::int64_t generation, std::int64_t receipt) const {
  auto row = connection_.prepare("UPDATE generation SET receipt = ? WHERE number = ?");
  row.bind(1, receipt).bind(2, generation);
  row.run();
}

void Catalog::promote(const Pack& pack, const std::string& channel) const {
  auto row = connection_.prepare("INSERT OR IGNORE INTO channel VALUES (?, ?, ?, 'local')");
  row.bind(1, channel).bind(2, pack.name).bind(3, pack.version);
  row.run();
}

void Catalog::forget(const Pack& pack) const {
  database::Transaction transaction(connection_);
  for (const char* sql :
       {"DELETE FROM pack_blob WHERE name = ? AND version = ?", "DELETE FROM channel WHERE name = ? AND version = ?",
        "DELETE FROM pack WHERE name = ? AND version = ?"}) {
    auto row = connection_.prepare(sql);
    row.bind(1, pack.name).bind(2, pack.version);
    row.run();
  }
  transaction.commit();
}

}  // namespace stella::catalog
