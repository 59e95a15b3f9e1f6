// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/standing.hpp"

#include <algorithm>

#include "appliance/telemetry/meter.hpp"

namespace stella::telemetry {
namespace {

constexpr std::array<std::string_view, 8> kStates = {"planned",   "running", "waiting",   "paused",
                                                     "succeeded", "failed",  "cancelled", "expired"};

bool is_end(const std::string& state) {
  return std::find(kEnds.begin(), kEnds.end(), state) != kEnds.end();
}

double seconds(clock::Duration duration) {
  return static_cast<double>(std::max(duration, clock::Duration(0)).count()) / 1000;
}

template <class Value>
std::set<std::string> first_names(const std::map<std::string, Value>& all) {
  std::vector<std::pair<clock::Time, std::string>> by_time;
  for (const auto& [name, value] : all) by_time.emplace_back(value.first, name);
  std::sort(by_time.begin(), by_time.end());
  std::set<std::string> names;
  for (const auto& [at, name] : by_time) {
    if (names.size() == kMaxSeries) break;
    names.insert(name);
  }
  return names;
}

}  // namespace

Standing::Standing(const Totals& totals, clock::Time now)
    : totals_(&totals), now_(now), tenant_names_(first_names(totals.tenants)), gate_names_(first_names(totals.gates)) {
  for (const auto& [name, counts] : totals.tenants) (void)tenants_[tenant_label(name)];
}

std::string Standing::tenant_label(const std::string& name) const {
  return tenant_names_.contains(name) ? name : std::string(kOther);
}
// A gate that waits for the first time has no wait yet: it is told apart as long as there is room.
std::string Standing::gate_label(const std::string& name) const {
  return gate_names_.contains(name) || gate_names_.size() < kMaxSeries ? name : std::string(kOther);
}

void Standing::take(const Reading& reading) {
  OfTenant& tenant = tenants_[tenant_label(reading.tenant)];
  const bool is_known = std::find(kStates.begin(), kStates.end(), reading.state) != kStates.end();
  ++tenant.states[is_known ? reading.state : std::string(kOther)];
  if (is_end(reading.state)) return take_ended(reading, tenant);
  ++tenant.active;
  for (const auto& [id, since] : reading.waiting) {
    std::string label = gate_label(gate_name(id));
    if (tenant.waiting.size() >= kMaxSeries && !tenant.waiting.contains(label)) label = std::string(kOther);
    clock::Duration& longest = tenant.waiting[label];
    longest = std::max(longest, now_ - since);
  }
}

void Standing::take_ended(const Reading& reading, OfTenant& tenant) const {
  if (reading.ended + kRatioWindow >= now_) {
    if (reading.state == "succeeded") ++tenant.succeeded;
    if (reading.state == "failed" || reading.state == "expired") ++tenant.failed;
  }
  if (reading.bags.of(reading.attempt) == nullptr) ++tenant.unsealed;
  if (reading.bags.has_unexported()) {
    ++tenant.unexported;
    tenant.oldest_unexported = std::max(tenant.oldest_unexported, now_ - reading.ended);
  }
}

void Standing::add_tenants(std::vector<Family>& all) const {
  Family active("pack_run_active"), runs("pack_runs"), ratio("pack_run_success_ratio"),
      waiting("pack_gate_waiting_seconds"), unexported("stella_evidence_unexported"),
      age("stella_evidence_unexported_seconds"), unsealed("stella_evidence_unsealed");
  for (const auto& [name, tenant] : tenants_) {
    active.add({name}, static_cast<double>(tenant.active));
    for (const std::string_view state : kStates) {
      const auto found = tenant.states.find(std::string(state));
      runs.add({name, std::string(state)}, found == tenant.states.end() ? 0 : static_cast<double>(found->second));
    }
    if (const std::int64_t ended = tenant.succeeded + tenant.failed; ended > 0)
      ratio.add({name}, static_cast<double>(tenant.succeeded) / static_cast<double>(ended));
    for (const auto& [gate, longest] : tenant.waiting) waiting.add({name, gate}, seconds(longest));
    unexported.add({name}, static_cast<double>(tenant.unexported));
    age.add({name}, seconds(tenant.oldest_unexported));
    unsealed.add({name}, static_cast<double>(tenant.unsealed));
  }
  for (Family* family : {&active, &runs, &ratio, &waiting, &unexported, &age, &unsealed})
    all.push_back(std::move(*family));
}

void Standing::add_sums(std::vector<Family>& all) const {
  Totals shown;  // what has no series of its own comes together
  for (const auto& [name, waits] : totals_->gates)
    shown.gate(gate_names_.contains(name) ? name : std::string(kOther), waits.first).waited.add(waits.waited);
  std::map<std::string, Counts> counts;
  for (const auto& [name, one] : totals_->tenants) {
    Counts& sum = counts[tenant_label(name)];
    for (std::size_t i = 0; i < kEnds.size(); ++i) sum.ended[i] += one.ended[i];
    sum.retries += one.retries;
    sum.blocked += one.blocked;
    sum.chaos += one.chaos;
  }
  Family ended("pack_run_ended_total"), steps("pack_step_duration_seconds"), retries("pack_step_retries_total"),
      waits("pack_gate_wait_seconds"), blocked("pack_network_blocked_total"), chaos("pack_chaos_injected_total");
  for (const auto& [name, one] : counts) {
    for (std::size_t i = 0; i < kEnds.size(); ++i)
      ended.add({name, std::string(kEnds[i])}, static_cast<double>(one.ended[i]));
    retries.add({name}, static_cast<double>(one.retries));
    blocked.add({name}, static_cast<double>(one.blocked));
    chaos.add({name}, static_cast<double>(one.chaos));
  }
  for (const auto& [type, observed] : totals_->steps) steps.add({type}, observed);
  for (const auto& [name, gate] : shown.gates) waits.add({name}, gate.waited);
  for (Family* family : {&ended, &steps, &retries, &waits, &blocked, &chaos}) all.push_back(std::move(*family));
}

std::vector<Family> Standing::families() const {
  std::vector<Family> all;
  add_tenants(all);
  add_sums(all);
  return all;
}

}  // namespace stella::telemetry
