// SPDX-License-Identifier: Apache-2.0
// The registry's truth: which generation is held, which packs, channels and blobs it has (catalog.db, SQLite). The OCI
// index.json and the files under metadata/ are derived from it and written again when they differ. One thread each.
//
// A change of generation is one transaction. A `name:version` once seen is refused with another digest for ever, also
// for packs that were skipped. Errors: ERR_MIRROR_DIGEST (changed, corrupt), ERR_MIRROR_BUSY, ERR_PACK_NOT_FOUND.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/database/connection.hpp"
#include "bundles/files/home.hpp"
#include "mirror/blobs/store.hpp"

namespace stella::catalog {

struct Pack {
  std::string name, version;
  canon::Digest digest;  // THE pack digest
  blobs::Blob manifest;
  std::vector<std::string> tenants;   // empty: every tenant
  std::vector<std::string> channels;  // of the source and promoted ones
  std::vector<blobs::Blob> blobs;     // config and layers
  std::int64_t generation = 0;        // the last one that listed it
  [[nodiscard]] std::string name_version() const { return name + ":" + version; }
  [[nodiscard]] bool is_for(const std::string& tenant) const;
};
struct Skipped {
  std::string name_version;
  canon::Digest digest;
  std::string reason;
};
struct Generation {
  std::int64_t number = 0;
  std::string source, issued, pulled_at;
  std::string timestamp;     // canonical signed part
  std::int64_t receipt = 0;  // 0: not written yet
};

class Catalog {
 public:
  static Catalog open(const files::Home& home);
  [[nodiscard]] static bool exists(const files::Home& home);

  [[nodiscard]] std::optional<Generation> current() const;
  [[nodiscard]] std::vector<std::int64_t> generations() const;         // that were ever held, newest first
  [[nodiscard]] bool is_promoted(const Pack& pack) const;              // to a channel of this home
  [[nodiscard]] std::map<std::string, std::string> documents() const;  // metadata of the held generation
  [[nodiscard]] std::vector<Pack> packs() const;                       // by name, then version
  [[nodiscard]] std::optional<Pack> find(const std::string& name_version) const;
  [[nodiscard]] std::vector<Skipped> skipped() const;  // in the held generation

  // ERR_MIRROR_DIGEST reason changed when the name was seen with another digest.
  void require_unchanged(const std::string& name_version, const canon::Digest& digest) const;
  // The same, and remembers it: for packs that come by --bundle.
  void note_seen(const std::string& name_version, const canon::Digest& digest) const;

  struct Activation {
    Generation generation;
    std::map<std::string, std::string> documents;
    std::vector<Pack> packs;  // channels: those of the source
    std::vector<Skipped> skipped;
  };
  void activate(const Activation& activation) const;
  void note_receipt(std::int64_t generation, std::int64_t receipt) const;
  void promote(const Pack& pack, const std::string& channel) const;
  void forget(const Pack& pack) const;  // its rows, not its name: that stays seen

 private:
  explicit Catalog(database::Connection connection) : connection_(std::move(connection)) {}
  void fill(Pack& pack) const;
  void put(const Pack& pack, std::int64_t generation) const;
  database::Connection connection_;
};

// Writes index.json and metadata/ from the catalog where they differ.
void write_derived(const files::Home& home, const Catalog& catalog);

}  // namespace stella::catalog
