// SPDX-License-Identifier: Apache-2.0
// The TUF 1.0 roles as this mirror writes and takes them: what each `signed` part says, read strictly. Any thread.
//
// Common shape: {"_type", "spec_version": "1.0.x", "version": 1..2^53-1, "expires": RFC 3339, "x-stella":
// {"source", "generation", "base": integer or null, "issued"}, ...}. A parsed role is only a reading: verify.hpp
// decides. Keys are Ed25519 only; a key id is SHA-256 of the key object in canonical form, so one raw key has one id.
// Errors: ERR_MIRROR_MALFORMED with reason json, key, path, duplicate. Source: TUF specification 1.0.31, section 4.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/trust/key.hpp"

namespace stella::metadata {

struct Origin {                      // "x-stella"
  std::string source;                // name of the mirror outside
  std::int64_t generation = 0;       // 0 in a root that was made before the first generation
  std::optional<std::int64_t> base;  // the generation a delta builds on; nothing for a full bundle
  clock::Time issued{};
};
struct Header {
  std::int64_t version = 0;
  clock::Time expires{};
  Origin origin;
};

using Keys = std::map<std::string, trust::PublicKey>;  // by TUF key id
struct RoleKeys {
  int threshold = 1;
  std::vector<std::string> key_ids;
};

struct Root {
  Header header;
  Keys keys;
  std::map<std::string, RoleKeys> roles;  // exactly root, targets, snapshot, timestamp
};

struct FileMeta {
  std::int64_t version = 0;
  std::uint64_t length = 0;
  canon::Digest digest;
};
struct Timestamp {
  Header header;
  FileMeta snapshot;
};
struct Snapshot {
  Header header;
  std::map<std::string, FileMeta> roles;  // by role name, without ".json"
};

struct Target {
  std::uint64_t length = 0;
  canon::Digest digest;
  canon::Json custom;  // an object, empty when there is none
};
struct Delegation {
  std::string name;  // of the channel
  RoleKeys keys;
  std::vector<std::string> paths;
};
struct Targets {
  Header header;
  std::map<std::string, Target> targets;  // by path
  Keys keys;                              // of the delegations
  std::vector<Delegation> delegations;
};

[[nodiscard]] Root parse_root(const canon::Json& part, const std::string& at);
[[nodiscard]] Timestamp parse_timestamp(const canon::Json& part, const std::string& at);
[[nodiscard]] Snapshot parse_snapshot(const canon::Json& part, const std::string& at);
[[nodiscard]] Targets parse_targets(const canon::Json& part, const std::string& at);

[[nodiscard]] canon::Json to_json(const Root& root);
[[nodiscard]] canon::Json to_json(const Timestamp& timestamp);
[[nodiscard]] canon::Json to_json(const Snapshot& snapshot);
[[nodiscard]] canon::Json to_json(const Targets& targets);

// A channel's or source's name: lower-case letters, digits, `-`, at most 64, beginning with a letter or digit.
[[nodiscard]] bool is_name(const std::string& name);
// A name that a channel may have: is_name and none of TUF's four.
[[nodiscard]] bool is_channel(const std::string& name);
// TUF's PATHPATTERN with `*` only, which does not cross `/`.
[[nodiscard]] bool matches_path(const std::string& pattern, const std::string& path);

}  // namespace stella::metadata
