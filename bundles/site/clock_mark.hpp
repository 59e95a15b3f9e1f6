// SPDX-License-Identifier: Apache-2.0
// The latest time that this home has seen, so that a clock set back can neither keep a policy or a request alive nor
// let a request expire unseen (security.md section 2, "Rolled-back home, clock"). One writer at a time; any process.
//
// site/clock.json: {"schema":"stella.clock.v1","highest","boot","uptimeMillis","confirmed":[{at, from, reason, by}]}.
// What it cannot see: the time while the machine was off. Writes at most once a minute.
#pragma once

#include <optional>
#include <string>

#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::site {

struct ClockMark {
  std::optional<clock::Time> highest;  // nullopt: nothing was seen yet
  std::string suspicion;               // empty: none; else a sentence for a person
};
// Behind the highest time by more than 5 minutes, or, since the same boot, ahead of what the kernel's own count of time
// says by more than an hour: suspicious. Changes nothing.
[[nodiscard]] ClockMark look_at_clock(const files::Home& home, clock::Time now);
// The time to decide by: the later of `now` and the highest. Throws ERR_CLOCK_ROLLBACK (reasons `behind`, `ahead`) when
// it is suspicious: then nothing is accepted and nothing expires until confirmed. Writes nothing.
[[nodiscard]] clock::Time decide_by(const files::Home& home, clock::Time now);
// The same, and remembers `now`.
clock::Time observe_clock(const files::Home& home, clock::Time now);
// A person says that `now` is right; kept in the file (the last 100) with the reason and who said it.
void confirm_clock(const files::Home& home, clock::Time now, const std::string& reason, const std::string& by);

}  // namespace stella::site
