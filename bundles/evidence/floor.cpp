// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/floor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::evidence {
namespace {

[[noreturn]] void refuse(std::string_view reason, const std::string& what) {
  throw fault::Error(fault::Code::evidence_untrusted, reason, what, "data/plan.json",
                     "The run had a plan that the site's policy does not give: treat it as unauthorised.");
}

void require_gate(const approval::PlanGate& gate, const site::Requirement& floor) {
  if (gate.threshold < floor.threshold) {
    refuse("floor", fmt::format("gate {} asks for {} people, the policy for {}", canon::printable(gate.id, 80),
                                gate.threshold, floor.threshold));
  }
  for (const auto& [role, least] : floor.roles) {
    const auto asked = gate.roles.find(role);
    if (asked == gate.roles.end() || asked->second < least) {
      refuse("floor", fmt::format("gate {} asks for fewer than {} of role {}, which the policy wants",
                                  canon::printable(gate.id, 80), least, canon::printable(role, 80)));
    }
  }
}

bool is_work(const approval::PlanStep& step) {
  return step.kind == "run" || std::ranges::any_of(step.body, is_work);
}

// A gate that is sure to be passed before work is done: at top level or in a parallel, not where a map, loop or
// conditional decides, and some `run` step waits for it.
bool is_gated(const approval::PlanView& plan) {
  std::set<std::string> sure = {""};
  std::vector<std::string> gates;
  for (const approval::PlanStep& step : plan.steps) {
    if (!sure.contains(step.parent) || step.node.value("class", "") == "skipped") continue;
    if (step.kind == "parallel") sure.insert(step.id);
    if (step.kind == "gate.approval") gates.push_back(step.id);
  }
  const std::vector<std::string> behind = plan.order({}).graph.behind(gates);
  const std::set<std::string> held(behind.begin(), behind.end());
  return std::ranges::any_of(plan.steps, [&](const auto& step) { return is_work(step) && held.contains(step.id); });
}

bool is_allowed(const approval::PlanEndpoint& open, const site::Policy& policy, const std::string& pack) {
  return std::ranges::any_of(policy.allow, [&](const site::AllowEntry& entry) {
    return !entry.for_stella && site::matches_any(entry.packs, pack) && entry.port == open.port &&
           entry.host == open.host && std::ranges::find(entry.addresses, open.address) != entry.addresses.end();
  });
}

}  // namespace

void prove_floor(const site::Policy& policy, const approval::PlanView& plan, Report& report) {
  const std::string pack = plan.pack_name + ":" + plan.pack_version;
  if (policy.find_denied(pack, plan.pack_digest) != nullptr)
    refuse("denied", fmt::format("the policy denies {}", canon::printable(pack, 200)));
  const site::Tenant* tenant = policy.find_tenant(plan.tenant);
  if (!policy.tenants.empty() && (tenant == nullptr || !site::matches_any(tenant->packs, plan.pack_name)))
    refuse("tenant", fmt::format("the policy gives {} to no tenant {}", canon::printable(plan.pack_name, 128),
                                 canon::printable(plan.tenant, 80)));
  for (const site::Requirement& floor : policy.require) {
    if (!site::matches_any(floor.packs, plan.pack_name)) continue;
    if (!is_gated(plan)) refuse("floor", fmt::format("the plan has no gate, the policy wants one for {}", pack));
    for (const approval::PlanGate& gate : plan.gates) require_gate(gate, floor);
  }
  for (const approval::PlanEndpoint& open : plan.allowed) {
    if (!is_allowed(open, policy, plan.pack_name)) {
      refuse("network", fmt::format("the plan opens {} ({}) port {}, the policy does not",
                                    canon::printable(open.host, 253), canon::printable(open.address, 60), open.port));
    }
  }
  report.proven.push_back("floor: the plan has the gates that the policy demands and opens no host beyond its list");
}

}  // namespace stella::evidence
