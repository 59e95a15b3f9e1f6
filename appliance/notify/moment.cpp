// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/moment.hpp"

#include <algorithm>
#include <array>

namespace stella::notify {
namespace {

constexpr std::string_view kFinished = "pack.run.finished";

constexpr std::array kMoments{
    Moment{What::gate_waiting, "pack.run.gate-waiting", "pack.gate.waiting", "waiting", Severity::warning,
           Bearing::opens, false},
    Moment{What::gate_approved, "pack.run.gate-approved", "pack.gate.approved", "waiting", Severity::info,
           Bearing::closes, false},
    Moment{What::gate_rejected, "pack.run.gate-rejected", "pack.gate.rejected", "failed", Severity::error,
           Bearing::closes, false},
    Moment{What::gate_expiring, "pack.run.gate-expiring", "pack.gate.expiring", "waiting", Severity::error,
           Bearing::opens, false},
    Moment{What::gate_expired, "pack.run.gate-expired", "pack.gate.expired", "expired", Severity::error,
           Bearing::closes, false},
    Moment{What::failed, "pack.run.failed", "pack.run.failed", "failed", Severity::error, Bearing::opens, true},
    Moment{What::blocked, "pack.run.blocked", "pack.network.blocked", "running", Severity::error, Bearing::opens,
           false},
    Moment{What::succeeded, "pack.run.succeeded", "pack.run.succeeded", "succeeded", Severity::info, Bearing::closes,
           true},
    Moment{What::cancelled, "pack.run.cancelled", "pack.run.cancelled", "cancelled", Severity::info, Bearing::closes,
           true},
    Moment{What::expired, "pack.run.expired", "pack.run.expired", "expired", Severity::error, Bearing::opens, true},
    Moment{What::paused, "pack.run.paused", "pack.run.paused", "paused", Severity::warning, Bearing::opens, true},
    Moment{What::chaos, "pack.run.chaos", "pack.chaos.injected", "running", Severity::warning, Bearing::tells, false},
    Moment{What::test, "pack.run.test", "pack.run.test", "", Severity::info, Bearing::tells, false},
};

}  // namespace

std::span<const Moment> moments() noexcept {
  return kMoments;
}

const Moment& moment_of(What what) noexcept {
  return *std::find_if(kMoments.begin(), kMoments.end(), [&](const Moment& one) { return one.what == what; });
}

std::optional<What> what_of(const journal::Event& event) {
  if (event.type == "pack.run.paused" && event.data.is_object() && event.data.contains("owed")) return std::nullopt;
  for (const Moment& one : kMoments) {
    if (one.event == event.type && one.what != What::test && one.what != What::gate_expiring) return one.what;
  }
  return std::nullopt;
}

std::string_view name_of(Severity severity) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"info", "warning", "error", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

bool wants(const site::Notification& rule, What what, const std::string& tenant, const std::string& pack) {
  const Moment& moment = moment_of(what);
  const bool picked = site::matches(rule.topic, std::string(moment.topic)) ||
                      site::matches(rule.topic, std::string(moment.event)) ||
                      (moment.finishes && site::matches(rule.topic, std::string(kFinished)));
  const bool here =
      rule.tenants.empty() || std::find(rule.tenants.begin(), rule.tenants.end(), tenant) != rule.tenants.end();
  return picked && here && site::matches_any(rule.packs, pack);
}

}  // namespace stella::notify
