// SPDX-License-Identifier: Apache-2.0
// What must hold between the parts of a policy (contract section 8; security.md rules 1, 2, 7, 8).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bundles/canon/fields.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

// One raw key stands in one list only, else one kind of statement could pass for another (rule 2).
void check_one_list(const Reading& reading, Report& report) {
  std::map<trust::PublicKey, const KeyUse*> first;
  for (const KeyUse& use : reading.keys) {
    const auto [found, is_new] = first.emplace(use.key, &use);
    if (is_new) continue;
    const KeyUse& other = *found->second;
    if (other.list != use.list) {
      report.problem(
          use.pointer,
          fmt::format("this key stands in {} and in {}; one key stands in one list only", other.list, use.list),
          "one-list");
    } else if (use.list != "approvers" || other.tenant == use.tenant) {
      report.problem(use.pointer, fmt::format("this key stands in {} twice", use.list), "twice");
    } else if (other.name != use.name) {
      report.problem(use.pointer,
                     fmt::format("this key belongs to {} in tenant {}; one key is one person's",
                                 canon::printable(other.name), canon::printable(other.tenant)),
                     "person");
    }
  }
}

void check_admins(const Policy& policy, Report& report) {
  const auto sound = std::count_if(policy.admins.keys.begin(), policy.admins.keys.end(),
                                   [&](const trust::PublicKey& key) { return !policy.is_revoked(key); });
  if (policy.admins.threshold > sound) {
    report.problem(
        "/admins/threshold",
        fmt::format("{} admins must sign, but only {} unrevoked keys are listed: nobody could ever change this policy",
                    policy.admins.threshold, sound),
        "threshold");
  } else if (policy.admins.threshold == 1) {
    report.warn("/admins/threshold", "one stolen admin key is enough to rewrite this policy; 2 is safer", "threshold");
  }
}

void check_unique(const std::vector<std::string>& names, const std::string& list, const std::string& field,
                  Report& report) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && !seen.insert(names[i]).second) {
      report.problem(fmt::format("{}/{}/{}", list, i, field),
                     fmt::format("{} `{}` is there twice", field, canon::printable(names[i], 100)), "twice");
    }
  }
}

template <class List, class Name>
std::vector<std::string> names_of(const List& list, Name name) {
  std::vector<std::string> names;
  for (const auto& each : list) names.push_back(each.*name);
  return names;
}

void check_tenant(const Tenant& tenant, const std::string& pointer, const Policy& policy, Report& report) {
  check_unique(names_of(tenant.operators, &Operator::user), pointer + "/operators", "user", report);
  check_unique(names_of(tenant.approvers, &Approver::name), pointer + "/approvers", "name", report);
  if (!tenant.approvers.empty() && tenant.operators.empty() && !policy.allow_requester_to_approve) {
    report.problem(
        pointer,
        fmt::format("tenant {} has approvers but lists no operators: who asked could not be told from who approves; "
                    "list operators or say approvals.allowRequesterToApprove: true",
                    canon::printable(tenant.name)),
        "operators");
  }
  for (std::size_t i = 0; i < tenant.approvers.size(); ++i) {
    if (tenant.approvers[i].keys.empty()) {
      report.problem(fmt::format("{}/approvers/{}", pointer, i), "an approver needs at least one key", "keys");
    }
  }
}

bool can_approve(const Approver& approver, const Policy& policy) {
  const bool scoped =
      std::find(approver.scopes.begin(), approver.scopes.end(), "packs.approve") != approver.scopes.end();
  return scoped && std::any_of(approver.keys.begin(), approver.keys.end(),
                               [&](const ApproverKey& each) { return !policy.is_revoked(each.key); });
}

// Why the people of this tenant cannot meet the requirement; empty when they can.
std::string shortfall(const Requirement& requirement, const Tenant& tenant, const Policy& policy) {
  std::set<std::string> people;
  std::map<std::string, std::set<std::string>> with_role;
  for (const Approver& approver : tenant.approvers) {
    if (!can_approve(approver, policy)) continue;
    people.insert(approver.name);
    for (const std::string& role : approver.roles) with_role[role].insert(approver.name);
  }
  if (people.size() < static_cast<std::size_t>(requirement.threshold)) {
    return fmt::format("{} people must approve, tenant {} has {}", requirement.threshold, tenant.name, people.size());
  }
  for (const auto& [role, count] : requirement.roles) {
    if (with_role[role].size() >= static_cast<std::size_t>(count)) continue;
    return fmt::format("{} with role `{}` must approve, tenant {} has {}", count, canon::printable(role, 60),
                       tenant.name, with_role[role].size());
  }
  return {};
}

void check_requirements(const Policy& policy, Report& report) {
  for (std::size_t i = 0; i < policy.require.size(); ++i) {
    const std::string pointer = fmt::format("/approvals/require/{}", i);
    std::vector<std::string> short_ones;
    for (const Tenant& tenant : policy.tenants) {
      if (std::string why = shortfall(policy.require[i], tenant, policy); !why.empty()) short_ones.push_back(why);
    }
    if (short_ones.empty()) continue;
    if (short_ones.size() == policy.tenants.size()) {
      report.problem(pointer, "nobody could meet this: " + short_ones.front(), "threshold");
    } else {
      report.warn(pointer, short_ones.front(), "threshold");
    }
  }
}

}  // namespace

void check_rules(const Reading& reading, Report& report) {
  const Policy& policy = reading.policy;
  check_one_list(reading, report);
  check_admins(policy, report);
  check_unique(names_of(policy.appliances, &Appliance::id), "/appliances", "id", report);
  check_unique(names_of(policy.tenants, &Tenant::name), "/tenants", "name", report);
  check_unique(names_of(policy.mirror_sources, &MirrorSource::name), "/mirror/sources", "name", report);
  for (std::size_t i = 0; i < policy.tenants.size(); ++i) {
    check_tenant(policy.tenants[i], fmt::format("/tenants/{}", i), policy, report);
  }
  check_requirements(policy, report);
  check_notifications(policy, report);
  if (policy.mirror_warn_age > policy.mirror_max_age) {
    report.warn("/mirror/warnAge", "warnAge is longer than maxAge, so nobody is warned", "age");
  }
}

}  // namespace stella::site
