// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "mirror/metadata/document.hpp"
#include "mirror/metadata/role.hpp"

namespace stella::metadata {
namespace {

constexpr auto kCode = fault::Code::mirror_malformed;
constexpr std::int64_t kMaxVersion = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kMaxKeys = 64, kMaxRoles = 256;
// DER of a SubjectPublicKeyInfo for Ed25519 up to the raw key (RFC 8410 section 4).
constexpr std::array<std::uint8_t, 12> kSpkiPrefix = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

canon::Fields fields_of(const canon::Json& object, const std::string& at) {
  return canon::Fields(object, kCode, "json", at);
}

std::uint64_t parse_length(canon::Fields& fields) {
  return static_cast<std::uint64_t>(fields.integer("length", 0, kMaxVersion));
}

canon::Digest parse_hashes(const canon::Json& hashes, const std::string& at) {
  canon::Fields fields = fields_of(hashes, at);
  canon::Digest digest = canon::parse_hex_digest(fields.text("sha256", 64), kCode, at);
  fields.finish();
  return digest;
}

Origin parse_origin(const canon::Json& object, const std::string& at) {
  canon::Fields fields = fields_of(object, at);
  Origin origin;
  origin.source = fields.text("source", 64);
  if (!is_name(origin.source)) fields.fail("is not a mirror's name", "source");
  origin.generation = fields.integer("generation", 0, kMaxVersion);
  if (const canon::Json& base = fields.any("base"); !base.is_null()) {
    origin.base = fields.integer("base", 1, kMaxVersion);
  }
  origin.issued = clock::parse_time(fields.text("issued", 32), kCode, at + ".issued");
  fields.finish();
  return origin;
}

Header parse_header(canon::Fields& fields, const std::string& type, const std::string& at) {
  if (const std::string found = fields.text("_type", 32); found != type) {
    fields.fail(fmt::format("says {}, wanted is {}", canon::printable(found), type), "_type");
  }
  if (const std::string spec = fields.text("spec_version", 16); spec.substr(0, 4) != "1.0.") {
    fields.fail("is not 1.0.x", "spec_version");
  }
  Header header;
  header.version = fields.integer("version", 1, kMaxVersion);
  header.expires = clock::parse_time(fields.text("expires", 32), kCode, at + ".expires");
  header.origin = parse_origin(fields.object("x-stella"), at + ".x-stella");
  return header;
}

trust::PublicKey parse_key(const canon::Json& object, const std::string& at) {
  canon::Fields fields = fields_of(object, at);
  if (fields.text("keytype", 32) != "ed25519" || fields.text("scheme", 32) != "ed25519") {
    throw fault::Error(kCode, "key", "a key is not an Ed25519 key", at);
  }
  canon::Fields value = fields_of(fields.object("keyval"), at + ".keyval");
  const std::string hex = value.text("public", 64);
  value.finish();
  fields.finish();
  const canon::Digest raw = canon::parse_hex_digest(hex, kCode, at + ".keyval.public");
  std::vector<std::uint8_t> spki(kSpkiPrefix.begin(), kSpkiPrefix.end());
  spki.insert(spki.end(), raw.bytes.begin(), raw.bytes.end());
  return trust::parse_public_line(canon::to_base64(std::span<const std::uint8_t>(spki)), kCode, at);
}

Keys parse_keys(const canon::Json& object, const std::string& at) {
  if (!object.is_object() || object.size() > kMaxKeys) {
    throw fault::Error(kCode, "json", fmt::format("keys must be an object of at most {} keys", kMaxKeys), at);
  }
  Keys keys;
  for (const auto& [id, value] : object.items()) {
    const std::string here = at + "." + canon::printable(id, 80);
    trust::PublicKey key = parse_key(value, here);
    // One raw key under two ids would be counted twice (the TUF clients' old fault): the id is computed, not believed.
    if (key_id(key) != id) throw fault::Error(kCode, "key", "a key's id is not the digest of its key object", here);
    keys.emplace(id, key);
  }
  return keys;
}

RoleKeys parse_role_keys(canon::Fields& fields, const Keys& keys) {
  RoleKeys role;
  role.key_ids = fields.texts("keyids");
  std::set<std::string> unique(role.key_ids.begin(), role.key_ids.end());
  if (unique.size() != role.key_ids.size()) fields.fail("names a key twice", "keyids");
  for (const std::string& id : role.key_ids) {
    if (!keys.contains(id)) fields.fail("names a key that is not there", "keyids");
  }
  role.threshold = static_cast<int>(fields.integer("threshold", 1, kMaxKeys));
  if (static_cast<std::size_t>(role.threshold) > role.key_ids.size()) {
    fields.fail("is higher than the number of keys", "threshold");
  }
  return role;
}

FileMeta parse_file_meta(const canon::Json& object, const std::string& at) {
  canon::Fields fields = fields_of(object, at);
  FileMeta meta;
  meta.version = fields.integer("version", 1, kMaxVersion);
  meta.length = parse_length(fields);
  meta.digest = parse_hashes(fields.object("hashes"), at + ".hashes");
  fields.finish();
  return meta;
}

std::string check_target_path(const std::string& path, const std::string& at) {
  const bool plain =
      !path.empty() && path.size() <= 300 && path.front() != '/' && path.back() != '/' &&
      path.find("//") == std::string::npos && std::ranges::all_of(path, [](unsigned char c) {
        return std::isalnum(c) || std::string_view("._+-/").find(static_cast<char>(c)) != std::string_view::npos;
      });
  const std::string framed = "/" + path + "/";
  if (!plain || framed.find("/../") != std::string::npos || framed.find("/./") != std::string::npos) {
    throw fault::Error(kCode, "path", "a target's path is not allowed: " + canon::printable(path, 100), at);
  }
  return path;
}

Delegation parse_delegation(const canon::Json& object, const Keys& keys, const std::string& at) {
  canon::Fields fields = fields_of(object, at);
  Delegation delegation;
  delegation.name = fields.text("name", 64);
  if (!is_channel(delegation.name)) fields.fail("is not a channel's name", "name");
  delegation.keys = parse_role_keys(fields, keys);
  if (!fields.boolean("terminating")) fields.fail("must be true: a channel's paths are its own", "terminating");
  delegation.paths = fields.texts("paths");
  for (const std::string& pattern : delegation.paths) {
    if (!pattern.starts_with(delegation.name + "/")) fields.fail("reaches outside the channel", "paths");
  }
  fields.finish();
  return delegation;
}

void parse_delegations(const canon::Json& object, Targets& targets, const std::string& at) {
  canon::Fields fields = fields_of(object, at);
  targets.keys = parse_keys(fields.object("keys"), at + ".keys");
  std::set<std::string> names;
  for (const canon::Json& item : fields.array("roles", kMaxRoles)) {
    targets.delegations.push_back(parse_delegation(item, targets.keys, at + ".roles"));
    if (!names.insert(targets.delegations.back().name).second) fields.fail("names a channel twice", "roles");
  }
  fields.finish();
}

}  // namespace

Root parse_root(const canon::Json& part, const std::string& at) {
  canon::Fields fields = fields_of(part, at);
  Root root;
  root.header = parse_header(fields, "root", at);
  if (!fields.boolean("consistent_snapshot")) fields.fail("must be true", "consistent_snapshot");
  root.keys = parse_keys(fields.object("keys"), at + ".keys");
  canon::Fields roles = fields_of(fields.object("roles"), at + ".roles");
  for (const char* name : {"root", "targets", "snapshot", "timestamp"}) {
    canon::Fields role = fields_of(roles.object(name), at + ".roles." + name);
    root.roles[name] = parse_role_keys(role, root.keys);
    role.finish();
  }
  roles.finish();
  fields.finish();
  return root;
}

Timestamp parse_timestamp(const canon::Json& part, const std::string& at) {
  canon::Fields fields = fields_of(part, at);
  Timestamp timestamp;
  timestamp.header = parse_header(fields, "timestamp", at);
  canon::Fields meta = fields_of(fields.object("meta"), at + ".meta");
  timestamp.snapshot = parse_file_meta(meta.object("snapshot.json"), at + ".meta.snapshot");
  meta.finish();
  fields.finish();
  return timestamp;
}

Snapshot parse_snapshot(const canon::Json& part, const std::string& at) {
  canon::Fields fields = fields_of(part, at);
  Snapshot snapshot;
  snapshot.header = parse_header(fields, "snapshot", at);
  const canon::Json& meta = fields.object("meta");
  if (meta.size() > kMaxRoles) fields.fail("lists too many roles", "meta");
  for (const auto& [file, value] : meta.items()) {
    const std::string here = at + ".meta." + canon::printable(file, 80);
    const std::string name = file.ends_with(".json") ? file.substr(0, file.size() - 5) : std::string();
    if (name != "targets" && !is_channel(name)) throw fault::Error(kCode, "json", "is not a role's file", here);
    snapshot.roles[name] = parse_file_meta(value, here);
  }
  if (!snapshot.roles.contains("targets")) fields.fail("does not list targets.json", "meta");
  fields.finish();
  return snapshot;
}

Targets parse_targets(const canon::Json& part, const std::string& at) {
  canon::Fields fields = fields_of(part, at);
  Targets targets;
  targets.header = parse_header(fields, "targets", at);
  for (const auto& [path, value] : fields.object("targets").items()) {
    const std::string here = at + ".targets." + canon::printable(path, 100);
    canon::Fields entry = fields_of(value, here);
    Target target;
    target.length = parse_length(entry);
    target.digest = parse_hashes(entry.object("hashes"), here + ".hashes");
    target.custom = entry.has("custom") ? entry.object("custom") : canon::Json::object();
    entry.finish();
    targets.targets[check_target_path(path, here)] = std::move(target);
  }
  if (fields.has("delegations")) parse_delegations(fields.object("delegations"), targets, at + ".delegations");
  fields.finish();
  return targets;
}

}  // namespace stella::metadata
