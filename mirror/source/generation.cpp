// SPDX-License-Identifier: Apache-2.0
#include "mirror/source/generation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mirror/metadata/document.hpp"

namespace stella::source {
namespace {

constexpr auto kDay = std::chrono::hours(24);
constexpr auto kTargetsLife = 90 * kDay, kSnapshotLife = 30 * kDay, kTimestampLife = 7 * kDay;

metadata::Header header_for(const State& state, clock::Duration life) {
  const clock::Time issued = state.issued.value();
  return {.version = state.generation,
          .expires = issued + life,
          .origin = {.source = state.name, .generation = state.generation, .base = {}, .issued = issued}};
}

metadata::Targets describe_channel(const State& state, const std::string& channel) {
  metadata::Targets targets;
  targets.header = header_for(state, kTargetsLife);
  for (const catalog::Pack& pack : state.packs) {
    if (std::ranges::find(pack.channels, channel) == pack.channels.end()) continue;
    targets.targets[fmt::format("{}/{}/{}", channel, pack.name, pack.version)] = {
        .length = pack.manifest.size_bytes,
        .digest = pack.manifest.digest,
        .custom = {{"tenants", pack.tenants}, {"packDigest", pack.digest.tagged()}}};
  }
  return targets;
}

bool is_channel_role(const std::string& role) {
  return role != "targets" && role != "snapshot" && role != "timestamp";
}

metadata::Targets describe_targets(const State& state, const std::string& index) {
  metadata::Targets targets;
  targets.header = header_for(state, kTargetsLife);
  targets.targets[volumes::kIndexName] = {
      .length = index.size(), .digest = canon::sha256(index), .custom = canon::Json::object()};
  for (const auto& [role, role_key] : state.roles) {
    if (!is_channel_role(role)) continue;
    const std::string id = metadata::key_id(role_key.key);
    targets.keys.emplace(id, role_key.key);
    // TUF's `*` does not cross `/`, so both depths are named.
    targets.delegations.push_back(
        {.name = role, .keys = {.threshold = 1, .key_ids = {id}}, .paths = {role + "/*/*", role + "/*"}});
  }
  return targets;
}

std::string sign(const canon::Json& part, const Signers& signers, const std::string& role) {
  const trust::PrivateKey* key = &signers.at(role);
  return metadata::sign_document(part, {&key, 1});
}

metadata::FileMeta meta_of(const State& state, const std::string& text) {
  return {.version = state.generation, .length = text.size(), .digest = canon::sha256(text)};
}

}  // namespace

std::vector<volumes::Row> lay_out_packs(const std::vector<catalog::Pack>& packs) {
  std::vector<blobs::Blob> order;
  std::set<canon::Digest> taken;
  const auto take = [&](const blobs::Blob& blob) {
    if (taken.insert(blob.digest).second) order.push_back(blob);
  };
  for (const catalog::Pack& pack : packs) take(pack.manifest);
  for (const catalog::Pack& pack : packs) std::ranges::for_each(pack.blobs, take);
  return volumes::lay_out(order);
}

std::map<std::string, std::string> sign_generation(const State& state, const std::string& index,
                                                   const Signers& signers) {
  std::map<std::string, std::string> texts;
  metadata::Snapshot snapshot;
  snapshot.header = header_for(state, kSnapshotLife);
  const auto put = [&](const std::string& role, const metadata::Targets& targets) {
    const std::string text = sign(metadata::to_json(targets), signers, role);
    snapshot.roles[role] = meta_of(state, text);
    texts[fmt::format("{}.{}.json", state.generation, role)] = text;
  };
  put("targets", describe_targets(state, index));
  for (const auto& [role, role_key] : state.roles) {
    if (is_channel_role(role)) put(role, describe_channel(state, role));
  }
  const std::string snapshot_text = sign(metadata::to_json(snapshot), signers, "snapshot");
  texts[fmt::format("{}.snapshot.json", state.generation)] = snapshot_text;
  const metadata::Timestamp timestamp{.header = header_for(state, kTimestampLife),
                                      .snapshot = meta_of(state, snapshot_text)};
  texts["timestamp.json"] = sign(metadata::to_json(timestamp), signers, "timestamp");
  return texts;
}

}  // namespace stella::source
