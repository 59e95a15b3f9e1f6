// SPDX-License-Identifier: Apache-2.0
// A `.pack`: an OCI image layout in a tar with exactly one descriptor (contract section 6).
// build -> Built; open -> Opened (hashes hold, nothing is trusted yet); accept -> Accepted (a listed publisher signed
// it).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/archive/tar.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/site/policy.hpp"
#include "bundles/trust/key.hpp"

namespace stella::packfile {

inline constexpr std::uint64_t kMaxPackBytes = std::uint64_t{8} << 30;      // of content, and of one `.pack`'s blobs
inline constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{4} << 20;  // manifest and config
inline constexpr std::uint64_t kMaxSignatureBytes = 65536;                  // one signature layer
inline constexpr std::uint64_t kSmallFileBytes = std::uint64_t{1} << 20;    // up to here files share a layer
inline constexpr std::size_t kMaxLayers = 20000, kMaxSignatures = 64;

struct FileEntry {
  std::string path;
  unsigned mode;
  std::uint64_t size_bytes;
  canon::Digest digest;
};

struct Built {
  std::string name, version;
  canon::Digest digest;
  std::string path;
  std::uint64_t size_bytes;
};
// Packs `folder` (honouring .packignore) into `out`; the same folder gives the same bytes. `name` and `version` were
// read from pack.yaml by the caller. signer may be null: unsigned.
Built build(const std::string& folder, const std::string& name, const std::string& version, const std::string& out,
            const trust::PrivateKey* signer);
// Adds one signature layer to an existing file, in place (atomically); the pack digest stays.
Built add_signature(const std::string& file, const trust::PrivateKey& signer);

// A pack whose bytes were all read once and hashed. Its blobs lie in a private folder of ours (`blobs`): the caller's
// file is not read again.
struct Opened {
  std::string name, version;
  canon::Digest digest;               // of the config: THE pack digest
  canon::Digest manifest_digest;      // OCI transport digest
  std::vector<FileEntry> files;       // as the config says; sorted by path
  std::vector<canon::Digest> layers;  // content layers in order
  std::vector<dsse::Envelope> signatures;
  std::string blobs;  // folder that holds <64 hex> files
  std::string manifest_bytes, config_bytes;
  [[nodiscard]] std::string name_version() const { return name + ":" + version; }
};

struct Accepted : Opened {
  struct Signer {
    std::string name, key_id;
  };
  std::vector<Signer> publishers;  // who of the policy signed it, revoked and out-of-scope ones left out
};

// Reads a .pack file (a tar), or an OCI layout folder, into `blobs` (made, mode 0700). ERR_PACK_INVALID with reasons
// truncated, tar, json, oci, layer, path, ...; ERR_PACK_SIGNATURE reason digest when bytes are not their digest.
[[nodiscard]] Opened open(const std::string& path, const std::string& blobs);
// By the policy's publishers, scopes, revocations and denials: ERR_PACK_SIGNATURE with reason unsigned,
// unknown-publisher, scope, revoked, denied, signature.
[[nodiscard]] Accepted accept(Opened opened, const site::Policy& policy);
// The content of one file by its path (bounded), verified; ERR_PACK_INVALID reason `file` when the pack has none.
[[nodiscard]] std::string read_file(const Opened& pack, const std::string& path, std::uint64_t max_bytes);
// Where the bytes of one file should lie in a blob of the pack, nullopt when the pack has none of that path. Nothing is
// verified: for readers that check the content by a digest of their own.
struct Place {
  std::string blob;  // path
  std::uint64_t offset = 0, size_bytes = 0;
};
[[nodiscard]] std::optional<Place> find_place(const Opened& pack, const std::string& path);
// Unpacks all files beneath `folder` (must not exist), verifying every digest on the way. Modes 0755/0644.
void unpack(const Opened& pack, const std::string& folder);
// Writes the pack as one `.pack` tar again (deterministic): for the cache and the run's own copy.
void write_pack(const Opened& pack, const std::string& out);

}  // namespace stella::packfile
