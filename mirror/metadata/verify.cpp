// SPDX-License-Identifier: Apache-2.0
#include "mirror/metadata/verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::metadata {
namespace {

using fault::Code;
constexpr std::int64_t kMaxRoots = 1024;

std::string root_file(std::int64_t version) {
  return fmt::format("{}.root.json", version);
}

// Everything that the steps of one update share.
struct Update {
  const Reader& read;
  const Held& held;
  const Freshness& freshness;
  Verified result;

  std::string need(const std::string& name, std::uint64_t max_bytes) const {
    std::optional<std::string> text = read(name, max_bytes);
    if (!text) throw fault::Error(Code::mirror_malformed, "missing", "the bundle has no metadata/" + name, name);
    return std::move(*text);
  }

  void check_origin(const Header& header, const std::string& at) const {
    if (header.origin.source != result.source()) {
      throw fault::Error(Code::mirror_untrusted, "source",
                         fmt::format("{} is of mirror {}, trusted is {}", at, header.origin.source, result.source()),
                         at);
    }
    if (header.origin.generation != header.version) {
      throw fault::Error(
          Code::mirror_malformed, "json",
          fmt::format("{} says generation {} and version {}", at, header.origin.generation, header.version), at);
    }
  }

  void check_time(const Header& header, const std::string& role) {
    if (freshness.now < header.expires) return;
    if (result.age > freshness.max_age) {
      throw fault::Error(Code::mirror_frozen, "expired",
                         fmt::format("{} expired at {}; the bundle is {} old and the site allows {}", role,
                                     clock::format(header.expires), clock::format_duration(result.age),
                                     clock::format_duration(freshness.max_age)),
                         role);
    }
    result.expired.push_back(role);
  }

  // A file that a signed parent lists: length and digest before a byte of it is parsed.
  Document listed(const std::string& name, const FileMeta& meta, std::uint64_t cap) {
    if (meta.length > cap) throw fault::Error(Code::mirror_malformed, "size", name + " is said to be too large", name);
    std::string text = need(name, meta.length + 1);
    if (text.size() != meta.length || canon::sha256(text) != meta.digest) {
      throw fault::Error(Code::mirror_digest, "metadata", name + " is not the file that was signed", name);
    }
    result.texts[name] = text;
    return parse_document(std::move(text), name, cap);
  }

  void check_version(const Header& header, const FileMeta& meta, const std::string& name) const {
    if (header.version == meta.version && header.version == result.timestamp.header.version) return;
    throw fault::Error(Code::mirror_digest, "metadata",
                       fmt::format("{} is version {} in a bundle of generation {}", name, header.version,
                                   result.timestamp.header.version),
                       name);
  }
};

void check_not_back(const Update& update, const Document& document, std::int64_t version) {
  const Held& held = update.held;
  if (version < held.generation) {
    throw fault::Error(Code::mirror_rollback, "version",
                       fmt::format("the bundle is generation {}, generation {} is held", version, held.generation),
                       "timestamp.json");
  }
  if (version == held.generation && document.canonical != held.timestamp) {
    throw fault::Error(Code::mirror_rollback, "changed",
                       fmt::format("the bundle says generation {} and is not the one that is held", version),
                       "timestamp.json");
  }
}

void verify_timestamp(Update& update) {
  Verified& result = update.result;
  const Root& root = result.root.root;
  Document document = parse_document(update.need("timestamp.json", kMaxTimestamp), "timestamp.json", kMaxTimestamp);
  require_signed(document, root.roles.at("timestamp"), root.keys, "timestamp.json");
  result.timestamp = parse_timestamp(document.part, "timestamp.json");
  const Header& header = result.timestamp.header;
  update.check_origin(header, "timestamp.json");
  check_not_back(update, document, header.version);
  if (header.origin.base) {
    throw fault::Error(Code::mirror_base, "delta", "this is a delta bundle, which this version of stella does not take",
                       "timestamp.json",
                       "Have the publisher write a full bundle: `stella mirror publish` without --base.");
  }
  result.age = std::max(clock::Duration(0), clock::Duration(update.freshness.now - header.origin.issued));
  result.timestamp_canonical = document.canonical;
  result.texts["timestamp.json"] = std::move(document.text);
  update.check_time(root.header, "root");
  update.check_time(header, "timestamp");
}

void verify_snapshot(Update& update) {
  Verified& result = update.result;
  const Root& root = result.root.root;
  const FileMeta& meta = result.timestamp.snapshot;
  const std::string name = fmt::format("{}.snapshot.json", meta.version);
  const Document document = update.listed(name, meta, kMaxSnapshot);
  require_signed(document, root.roles.at("snapshot"), root.keys, name);
  result.snapshot = parse_snapshot(document.part, name);
  update.check_origin(result.snapshot.header, name);
  update.check_version(result.snapshot.header, meta, name);
  for (const std::string& role : update.held.roles) {
    if (result.snapshot.roles.contains(role)) continue;
    throw fault::Error(Code::mirror_rollback, "role-removed",
                       fmt::format("channel {} is held and no longer in the snapshot", role), name);
  }
  update.check_time(result.snapshot.header, "snapshot");
}

Targets verify_targets(Update& update, const std::string& role, const RoleKeys& role_keys, const Keys& keys) {
  const auto meta = update.result.snapshot.roles.find(role);
  if (meta == update.result.snapshot.roles.end()) {
    throw fault::Error(Code::mirror_malformed, "missing", fmt::format("the snapshot does not list {}.json", role),
                       role);
  }
  const std::string name = fmt::format("{}.{}.json", meta->second.version, role);
  const Document document = update.listed(name, meta->second, kMaxTargets);
  require_signed(document, role_keys, keys, name);
  Targets targets = parse_targets(document.part, name);
  update.check_origin(targets.header, name);
  update.check_version(targets.header, meta->second, name);
  update.check_time(targets.header, role);
  return targets;
}

void verify_channels(Update& update) {
  Verified& result = update.result;
  for (const Delegation& delegation : result.targets.delegations) {
    Targets channel = verify_targets(update, delegation.name, delegation.keys, result.targets.keys);
    if (!channel.delegations.empty()) {
      throw fault::Error(Code::mirror_malformed, "json", "a channel may not delegate further", delegation.name);
    }
    for (const auto& item : channel.targets) {
      const std::string& path = item.first;
      const auto is_own = [&](const std::string& pattern) { return matches_path(pattern, path); };
      if (!std::ranges::any_of(delegation.paths, is_own)) {
        throw fault::Error(Code::mirror_untrusted, "path",
                           fmt::format("channel {} signs {}, which is not its own", delegation.name, path),
                           delegation.name);
      }
    }
    result.channels.emplace(delegation.name, std::move(channel));
  }
  if (result.snapshot.roles.size() != result.channels.size() + 1) {
    throw fault::Error(Code::mirror_malformed, "json", "the snapshot lists a role that nobody delegates to",
                       "snapshot");
  }
}

}  // namespace

TrustedRoot parse_pinned_root(std::string text, const std::string& at) {
  const Document document = parse_document(std::move(text), at, kMaxRoot);
  TrustedRoot trusted;
  trusted.root = parse_root(document.part, at);
  require_signed(document, trusted.root.roles.at("root"), trusted.root.keys, at);
  trusted.texts[trusted.root.header.version] = document.text;
  return trusted;
}

void extend(TrustedRoot& trusted, std::string text, const std::string& at) {
  const Document document = parse_document(std::move(text), at, kMaxRoot);
  const std::int64_t wanted = trusted.root.header.version + 1;
  require_signed(document, trusted.root.roles.at("root"), trusted.root.keys, at);
  Root next = parse_root(document.part, at);
  require_signed(document, next.roles.at("root"), next.keys, at);
  if (next.header.version != wanted) {
    throw fault::Error(Code::mirror_rollback, "version", fmt::format("{} is root version {}", at, next.header.version),
                       at);
  }
  if (next.header.origin.source != trusted.root.header.origin.source) {
    throw fault::Error(Code::mirror_untrusted, "source", at + " is of another mirror", at);
  }
  trusted.root = std::move(next);
  trusted.texts[wanted] = document.text;
}

void walk_roots(TrustedRoot& trusted, const Reader& read) {
  for (const auto& [version, text] : trusted.texts) {
    const std::string name = root_file(version);
    const std::optional<std::string> found = read(name, kMaxRoot);
    if (!found || *found == text) continue;
    throw fault::Error(
        Code::mirror_untrusted, "root", fmt::format("{} is not the root that is trusted here", name), name,
        "Use a medium of the mirror that you trust; `stella pack mirror status` shows its root's digest.");
  }
  for (std::int64_t steps = 0;; ++steps) {
    const std::string name = root_file(trusted.root.header.version + 1);
    std::optional<std::string> text = read(name, kMaxRoot);
    if (!text) return;
    if (steps == kMaxRoots) throw fault::Error(Code::mirror_malformed, "roots", "the chain of roots is too long", name);
    extend(trusted, std::move(*text), name);
  }
}

Verified verify_update(TrustedRoot trusted, const Reader& read, const Held& held, const Freshness& freshness) {
  Update update{.read = read, .held = held, .freshness = freshness, .result = {}};
  update.result.root = std::move(trusted);
  walk_roots(update.result.root, read);
  verify_timestamp(update);
  verify_snapshot(update);
  const Root& root = update.result.root.root;
  update.result.targets = verify_targets(update, "targets", root.roles.at("targets"), root.keys);
  verify_channels(update);
  return std::move(update.result);
}

}  // namespace stella::metadata
