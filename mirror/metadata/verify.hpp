// SPDX-License-Identifier: Apache-2.0
// The TUF client's order of checks, for a bundle read from a medium. Nothing is stored here. Any thread.
//
// Order: roots one by one (signed by the old and the new threshold), timestamp, snapshot, targets, delegations; for
// each signature, then source, then version, then time. In this mirror every role's version is the generation, so
// versions must all be equal, and metadata of two generations never mix. Source: TUF specification 1.0.31, section 5.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mirror/metadata/document.hpp"
#include "mirror/metadata/role.hpp"

namespace stella::metadata {

// Gives the bytes of `metadata/<name>`, nothing when the bundle has no such file; bounded by max_bytes.
using Reader = std::function<std::optional<std::string>(const std::string& name, std::uint64_t max_bytes)>;

struct TrustedRoot {
  Root root;
  std::map<std::int64_t, std::string> texts;  // every root from the pinned one on, byte for byte
};
// Parses and checks a root that signs itself. ERR_MIRROR_SIGNATURE when it does not reach its own threshold.
[[nodiscard]] TrustedRoot parse_pinned_root(std::string text, const std::string& at);
// One step of the chain: version + 1, signed by both thresholds, the same source.
void extend(TrustedRoot& trusted, std::string text, const std::string& at);
// Compares the roots that the bundle repeats with those that are held (ERR_MIRROR_UNTRUSTED reason root) and extends by
// those that are new. At most 1,024.
void walk_roots(TrustedRoot& trusted, const Reader& read);

// What the home holds already; generation 0: nothing.
struct Held {
  std::int64_t generation = 0;
  std::string timestamp;           // canonical signed part
  std::vector<std::string> roles;  // names in the held snapshot
  clock::Time issued{};
};
struct Freshness {
  clock::Time now;
  clock::Duration max_age;  // site mirror.maxAge; zero: expiry counts as it is written
};

struct Verified {
  TrustedRoot root;
  Timestamp timestamp;
  Snapshot snapshot;
  Targets targets;
  std::map<std::string, Targets> channels;
  std::map<std::string, std::string> texts;  // file name -> bytes, without roots
  std::string timestamp_canonical;
  clock::Duration age;               // now - issued, at least zero
  std::vector<std::string> expired;  // roles past their time that the site's max_age let pass
  [[nodiscard]] std::int64_t generation() const { return timestamp.header.version; }
  [[nodiscard]] const std::string& source() const { return root.root.header.origin.source; }
};
// Errors: ERR_MIRROR_SIGNATURE, _UNTRUSTED (source), _ROLLBACK (version, changed, role-removed), _DIGEST (metadata),
// _FROZEN (expired), _BASE (a delta), _MALFORMED.
[[nodiscard]] Verified verify_update(TrustedRoot trusted, const Reader& read, const Held& held,
                                     const Freshness& freshness);

}  // namespace stella::metadata
