// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "appliance/plan/floor.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/plan/words.hpp"
#include "appliance/plan/writing.hpp"
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
        decisions_(network::decide(sources.manifest.network, sources.policy, sources.manifest.name)) {}

  Plan make() {
    for (const pack::Step& step : sources_.manifest.steps) {
      steps_.push_back(step_of(step));
      done_before(step);
    }
    keep_the_floor();
    require_people_for_gates();
    return parse(written({sources_, decisions_, steps_}), fault::Code::pack_invalid, "plan");
  }

 private:
  Step step_of(const pack::Step& from) {
    Step step;
    step.id = from.id;
    step.kind = from.kind;
    step.when = from.when;
    step.needs = from.needs ? *from.needs : ends_;
    step.step_class = class_of(from);
    if (from.kind == pack::StepKind::run) fill_run(from, step);
    if (from.kind == pack::StepKind::gate_approval)
      step.gate = gate_of(*sources_.manifest.find_approval(from.approval));
    if (from.kind == pack::StepKind::gate_policy) {
      step.expression = from.expression;
      step.message = fill(from.message, sources_.inputs.values, from.at).text;
    }
    return step;
  }

  // Without `needs` a step waits for all before it; naming those that nothing waits for yet says the same.
  void done_before(const pack::Step& step) {
    if (!step.needs) {
      ends_ = {step.id};
      return;
    }
    std::erase_if(ends_,
                  [&](const std::string& id) { return std::ranges::find(*step.needs, id) != step.needs->end(); });
    ends_.push_back(step.id);
  }

  [[nodiscard]] std::string class_of(const pack::Step& step) const {
    if (!step.when.empty() && decide(step.when, sources_.inputs.values, step.at) == false) return "skipped";
    if (step.kind == pack::StepKind::gate_approval) return "requires-approval";
    return step.kind == pack::StepKind::gate_policy ? "requires-policy" : "pending";
  }

  void fill_run(const pack::Step& from, Step& step) const {
    for (const std::string& word : from.command) step.command.push_back(fill(word, sources_.inputs.values, from.at));
    if (!step.command.empty() && step.command[0].text.starts_with("./")) step.command[0].text.replace(0, 1, "/pack");
    step.script = from.script;
    for (const auto& [name, value] : from.env) step.env[name] = fill(value, sources_.inputs.values, from.at);
    for (const std::string& name : from.secrets) step.secrets.push_back(*sources_.manifest.find_secret(name));
    for (const Endpoint& endpoint : decisions_.allowed)
      if (!from.network || std::ranges::any_of(*from.network, [&](const pack::Ask& ask) {
            return ask.host == endpoint.host && ask.port == endpoint.port;
          }))
        step.network.push_back(endpoint);
    step.timeout = from.timeout;
    step.retries = from.retries;
    step.continue_on_error = from.continue_on_error;
    step.on_crash = from.on_crash;
  }

  [[nodiscard]] Gate gate_of(const pack::Approval& approval) const {
    const clock::Duration expiry = sources_.policy != nullptr ? sources_.policy->default_expiry : kDefaultExpiry;
    return {approval.id, approval.threshold, approval.roles, approval.expires_after.value_or(expiry),
            fill(approval.message, sources_.inputs.values, "approval " + approval.id).text};
  }

  // True when some `run` step waits for this step, directly or through others.
  [[nodiscard]] bool holds_work(const std::string& gate) const {
    std::set<std::string> behind{gate};
    for (const Step& step : steps_) {  // a step needs only steps before it
      if (!std::ranges::any_of(step.needs, [&](const std::string& id) { return behind.contains(id); })) continue;
      if (step.kind == Kind::run) return true;
      behind.insert(step.id);
    }
    return false;
  }

  // Raises the pack's gates; where none is sure to be passed before work is done, a gate `site` goes before the first
  // step. A gate with a `when` is not sure: the pack could write a condition that never holds. A gate that no work
  // waits for decides nothing.
  void keep_the_floor() {
    if (sources_.policy == nullptr) return;
    const auto floor = floor_of(*sources_.policy, sources_.manifest.name);
    if (!floor) return;
    bool is_gated = false;
    for (Step& step : steps_) {
      if (step.kind != Kind::gate_approval) continue;
      raise(step.gate, *floor);
      const bool is_sure = step.when.empty() ||
                           (step.step_class != "skipped" && decide(step.when, sources_.inputs.values, step.id) == true);
      is_gated = is_gated || (is_sure && holds_work(step.id));
    }
    if (is_gated) return;
    for (Step& step : steps_)
      if (step.needs.empty()) step.needs = {"site"};
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
    for (const Step& step : steps_)
      if (step.step_class == "requires-approval") require_people(step.gate, *sources_.policy, sources_.tenant);
  }

  const Sources& sources_;
  network::Decisions decisions_;
  std::vector<Step> steps_;
  std::vector<std::string> ends_;  // steps so far that no step so far needs
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
