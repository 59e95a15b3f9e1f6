// SPDX-License-Identifier: Apache-2.0
#include "mirror/intake/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bundles/canon/fields.hpp"
#include "mirror/catalog/manifest.hpp"

namespace stella::intake {
namespace {

using fault::Code;

catalog::Pack parse_target(const std::string& path, const metadata::Target& target) {
  const std::size_t first = path.find('/'), second = path.find('/', first + 1);
  if (first == std::string::npos || second == std::string::npos || path.find('/', second + 1) != std::string::npos) {
    throw fault::Error(Code::mirror_malformed, "path", "a pack's target is not <channel>/<name>/<version>", path);
  }
  catalog::Pack pack;
  pack.channels = {path.substr(0, first)};
  pack.name = path.substr(first + 1, second - first - 1);
  pack.version = path.substr(second + 1);
  canon::Fields custom(target.custom, Code::mirror_malformed, "json", path);
  pack.tenants = custom.texts("tenants");
  pack.digest = canon::parse_digest(custom.text("packDigest", 71), Code::mirror_malformed, path);
  custom.finish();
  if (target.length > catalog::kMaxManifest)
    throw fault::Error(Code::mirror_malformed, "size", "a manifest is too large", path);
  pack.manifest = {target.digest, target.length};
  return pack;
}

// Why this home does not take the pack; nothing when it does.
std::optional<std::string> reason_to_skip(const catalog::Pack& pack, const site::Policy* policy) {
  if (policy == nullptr)
    return pack.tenants.empty() ? std::nullopt : std::optional<std::string>("no site policy is applied");
  if (const site::Denied* denied = policy->find_denied(pack.name_version(), pack.digest)) {
    return "denied: " + canon::printable(denied->reason, 200);
  }
  const auto takes = [&](const site::Tenant& tenant) {
    return pack.is_for(tenant.name) && site::matches_any(tenant.packs, pack.name);
  };
  if (std::ranges::any_of(policy->tenants, takes)) return std::nullopt;
  return "for no tenant of this site";
}

// One pack may stand in several channels; it must be the same pack there.
void merge(std::map<std::string, catalog::Pack>& packs, catalog::Pack pack) {
  const auto [place, is_new] = packs.try_emplace(pack.name_version(), pack);
  if (is_new) return;
  catalog::Pack& first = place->second;
  if (first.digest != pack.digest || first.manifest != pack.manifest || first.tenants != pack.tenants) {
    throw fault::Error(Code::mirror_digest, "changed",
                       fmt::format("{} is not the same pack in {} and {}", pack.name_version(), first.channels.front(),
                                   pack.channels.front()),
                       pack.name_version());
  }
  first.channels.push_back(pack.channels.front());
}

}  // namespace

Selection select_packs(const metadata::Verified& verified, const site::Policy* policy) {
  std::map<std::string, catalog::Pack> packs;
  for (const auto& [channel, targets] : verified.channels) {
    for (const auto& [path, target] : targets.targets) merge(packs, parse_target(path, target));
  }
  Selection selection;
  for (auto& [name_version, pack] : packs) {
    if (auto reason = reason_to_skip(pack, policy)) {
      selection.skipped.push_back({name_version, pack.digest, *reason});
    } else {
      selection.packs.push_back(std::move(pack));
    }
  }
  return selection;
}

}  // namespace stella::intake
