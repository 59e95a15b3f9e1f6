// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/ledger_mark.hpp"

#include <filesystem>
#include <vector>

#include "bundles/approval/ledger.hpp"

namespace stella::cli {

void mark_ledgers(const files::Home& home, const site::Identity& by, const std::string& kind, const canon::Json& data,
                  clock::Time now) {
  const std::optional<site::Applied> applied = site::load_applied(home);
  if (!applied) return;
  std::vector<trust::PublicKey> keys = {by.key.public_key()};
  for (const site::Appliance& each : applied->policy.appliances) keys.push_back(each.key);
  for (const site::Tenant& tenant : applied->policy.tenants) {
    const std::string folder = home.runs() + "/ledger/" + tenant.name;
    if (!std::filesystem::exists(folder + "/approvals.jsonl")) continue;
    approval::NewLine line;
    line.kind = kind;
    line.data = data;
    line.anchors.site = approval::Anchors::Site{applied->policy.version, applied->policy.digest};
    approval::Ledger::open(folder, by.id, tenant.name, keys).append(line, by.key, now);
  }
}

}  // namespace stella::cli
