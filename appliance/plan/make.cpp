// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_set>

#include "appliance/plan/expand.hpp"
#include "appliance/plan/floor.hpp"
#include "appliance/plan/node.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/plan/templates.hpp"
#include "appliance/plan/writing.hpp"
#include "bundles/approval/step_graph.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

constexpr clock::Duration kDefaultExpiry = std::chrono::hours(24);

void require_allowed(const Sources& sources) {
  const pack::Manifest& manifest = sources.manifest;
  const site::Policy* policy = sources.policy;
  if (policy == nullptr) return;
  if (const site::Denied* denied = policy->find_denied(manifest.name_version(), sources.pack_digest))
    throw fault::Error(fault::Code::pack_signature, "denied",
                       fmt::format("the site denies {}: {}", manifest.name_version(), canon::printable(denied->reason)),
                       manifest.name_version(), "Use a version that the site does not deny.");
  if (manifest.sealed_install && policy->mode != site::Mode::sealed)
    throw fault::Error(fault::Code::pack_sealed_required, "mode",
                       fmt::format("{} runs in sealed mode only, and the site is in mode {}", manifest.name_version(),
                                   name_of(policy->mode)),
                       "spec.sealedInstall");
  if (policy->tenants.empty() || policy->find_tenant(sources.tenant) != nullptr) return;
  std::vector<std::string> names;
  for (const site::Tenant& tenant : policy->tenants) names.push_back(tenant.name);
  throw fault::Error(fault::Code::usage, "tenant",
                     fmt::format("the site policy has no tenant {}; it has {}", canon::printable(sources.tenant, 63),
                                 fmt::join(names, ", ")),
                     "--tenant", "Name one of them with --tenant or STELLA_TENANT.");
}

class Maker {
 public:
  explicit Maker(const Sources& sources)
      : sources_(sources),
        decisions_(network::decide(sources.manifest.network, sources.policy, sources.manifest.name)),
        known_(sources.inputs.values, fault::Code::pack_inputs) {}

  Plan make() {
    const clock::Duration expiry = sources_.policy != nullptr ? sources_.policy->default_expiry : kDefaultExpiry;
    std::vector<Step> templates = templates_of({sources_.manifest, decisions_.allowed, expiry, known_});
    raise_gates(templates);
    Expansion expansion(known_);
    expansion.add(templates);
    steps_ = expansion.take();
    keep_the_floor();
    require_people_for_gates();
    return parse(written({sources_, decisions_, steps_}), fault::Code::pack_invalid, "plan");
  }

 private:
  void raise_gates(std::vector<Step>& templates) const {
    const auto floor = sources_.policy != nullptr ? floor_of(*sources_.policy, sources_.manifest.name) : std::nullopt;
    if (!floor) return;
    for (Step& step : templates) {
      if (step.kind == Kind::gate_approval) raise(step.gate, *floor);
      raise_gates(step.body);
    }
  }

  [[nodiscard]] bool surely_runs(const Step& step) {
    if (step.step_class == "skipped") return false;
    return step.when.empty() || known_.decide(step.when, "step " + step.id) == true;
  }

  // The gates that are sure to be passed: not in a map, loop or conditional, and with no `when` that could fail to
  // hold, since a pack could write one that never does.
  [[nodiscard]] std::vector<std::string> sure_gates() {
    std::unordered_set<std::string> sure = {""};  // top level, and the parallels that surely run
    std::vector<std::string> gates;
    for (const Step& step : steps_) {
      if (!sure.contains(step.parent) || !surely_runs(step)) continue;
      if (step.kind == Kind::parallel) sure.insert(step.id);
      if (step.kind == Kind::gate_approval) gates.push_back(step.id);
    }
    return gates;
  }

  // A gate that no `run` step waits for decides nothing.
  [[nodiscard]] bool is_gated() {
    approval::StepGraph graph;
    for (const Step& step : steps_) graph.add({step.id, step.parent, step.needs});
    const std::vector<std::string> behind = graph.behind(sure_gates());
    const std::unordered_set<std::string> held(behind.begin(), behind.end());
    return std::ranges::any_of(steps_, [&](const Step& step) {
      const bool is_work = step.kind == Kind::run || std::ranges::any_of(step.body, is_run_template);
      return is_work && held.contains(step.id);
    });
  }

  static bool is_run_template(const Step& step) {
    return step.kind == Kind::run || std::ranges::any_of(step.body, is_run_template);
  }

  // Where no gate is sure to be passed before work is done, a gate `site` goes before the first step.
  void keep_the_floor() {
    if (sources_.policy == nullptr) return;
    const auto floor = floor_of(*sources_.policy, sources_.manifest.name);
    if (!floor || is_gated()) return;
    for (Step& step : steps_) {
      if (!step.parent.empty() || !step.needs.empty()) continue;
      step.needs = {"site"};
      step.digest = digest_of(step);
    }
    Step site;
    site.id = "site";
    site.kind = Kind::gate_approval;
    site.step_class = "requires-approval";
    site.gate = {"site", floor->threshold, floor->roles, sources_.policy->default_expiry,
                 fmt::format("The site's policy asks for approval of {}", sources_.manifest.name)};
    steps_.insert(steps_.begin(), std::move(site));
  }

  void require_people_for_gates() const {
    if (sources_.policy == nullptr) return;
    require_people_for(steps_);
  }

  void require_people_for(const std::vector<Step>& steps) const {
    for (const Step& step : steps) {
      if (step.step_class == "requires-approval") require_people(step.gate, *sources_.policy, sources_.tenant);
      require_people_for(step.body);
    }
  }

  const Sources& sources_;
  network::Decisions decisions_;
  Known known_;
  std::vector<Step> steps_;
};

}  // namespace

std::string_view name_of(site::Mode mode) noexcept {
  return mode == site::Mode::sealed ? "sealed" : mode == site::Mode::constrained ? "constrained" : "connected";
}

Plan make(const Sources& sources) {
  require_allowed(sources);
  return Maker(sources).make();
}

}  // namespace stella::plan
