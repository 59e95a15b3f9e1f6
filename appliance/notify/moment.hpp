// SPDX-License-Identifier: Apache-2.0
// Which events of the journal people are told of, and what a policy's topics pick. Pure; any thread.
// Source: contract section 15; the table is in docs/operations/notifications.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "appliance/journal/journal.hpp"
#include "bundles/site/policy.hpp"

namespace stella::notify {

enum class What {
  gate_waiting,
  gate_approved,
  gate_rejected,
  gate_expiring,
  gate_expired,
  failed,
  blocked,
  succeeded,
  cancelled,
  expired,
  paused,
  chaos,
  test
};
enum class Severity { info, warning, error, critical };
// What a message means for whoever keeps a list of open matters: a new one, one that is over, or only a word.
enum class Bearing { opens, closes, tells };

struct Moment {
  What what;
  std::string_view topic;  // pack.run.gate-waiting
  std::string_view event;  // the type of the journal's event that it tells of; pack.gate.expiring is derived from time
  std::string_view state;  // of the run then
  Severity severity;
  Bearing bearing;
  bool finishes;  // its runner is done with the run for now: also has the topic pack.run.finished
};

[[nodiscard]] std::span<const Moment> moments() noexcept;
[[nodiscard]] const Moment& moment_of(What what) noexcept;
// Nothing for events that nobody is told of. A pause that only says that the `finally` steps are to come is one: the
// rejection, expiry or cancel before it was told.
[[nodiscard]] std::optional<What> what_of(const journal::Event& event);
[[nodiscard]] std::string_view name_of(Severity severity) noexcept;  // as PagerDuty spells it

// Whether the rule's topic picks this moment (by its topic, its event's type, or pack.run.finished), and its tenants
// and packs this run.
[[nodiscard]] bool wants(const site::Notification& rule, What what, const std::string& tenant, const std::string& pack);

}  // namespace stella::notify
