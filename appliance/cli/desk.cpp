// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/desk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "bundles/approval/desk.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::cli {
namespace {

using fault::Code;

std::optional<site::TrustRule> trust_rule(Invocation& inv) {
  site::TrustRule rule;
  for (const std::string& path : inv.values("--trust")) rule.admins.push_back(trust::load_public(path));
  if (!rule.admins.empty()) return rule;
  const auto applied = site::load_applied(inv.home());
  if (!applied) return std::nullopt;
  return site::TrustRule{applied->policy.admins.keys, applied->policy.admins.threshold};
}

}  // namespace

std::string find_request_file(const std::string& path) {
  std::error_code failed;
  if (path == "-" || !std::filesystem::is_directory(path, failed)) return path;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("REQ-") && name.ends_with(".json")) found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  if (found.size() == 1) return found.front();
  if (found.empty())
    throw fault::Error(Code::file_not_found, "request", fmt::format("no REQ-*.json in {}", canon::printable(path)),
                       path);
  throw fault::Error(
      Code::usage, "request",
      canon::printable(fmt::format("there are {} requests in {}: {}", found.size(), path, fmt::join(found, ", "))),
      path, "Name the one that you mean.");
}

approval::Request open_request(Invocation& inv, const std::string& path) {
  const auto rule = trust_rule(inv);
  if (!rule)
    throw fault::Error(
        Code::usage, "trust", "no admin keys are pinned in this home, so nothing says whom to believe", {},
        "Give the site admins' public keys with --trust ADMIN.pub, from your own source and never from the medium.");
  const std::string file = find_request_file(path);
  approval::Parcel parcel = approval::read_parcel(inv.read_argument(file, approval::kMaxRequestBytes), file);
  const site::Applied site = site::verify_policy(parcel.site, file + ".site", *rule, Code::approval_signature);
  approval::Request request = approval::verify_request(std::move(parcel), site.policy);
  approval::require_not_older(inv.home(), request);
  return request;
}

approval::Voter require_key(const trust::LoadedKey& key, const approval::Request& request) {
  const approval::Voter voter = approval::require_voter(key.key.public_key(), request, request.pinned);
  if (key.has_passphrase || voter.unprotected) return voter;
  throw fault::Error(
      Code::key_unusable, "unprotected",
      fmt::format("{}'s key has no passphrase, and the site policy does not say `unprotected: true` for it",
                  canon::printable(voter.name)),
      {}, "Make a key with a passphrase (stella key new) and have the site's admins list it.");
}

}  // namespace stella::cli
