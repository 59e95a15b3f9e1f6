// SPDX-License-Identifier: Apache-2.0
// One round of telling: from the journal into the outbox, and out of it. What verbs, `notify follow` and the server's
// chores call. One thread.
#pragma once

#include "appliance/notify/delivery.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::notify {

struct Told {
  std::size_t queued = 0;  // messages that came up
  Delivered delivered;
};
// Under the policy that is applied now. Does nothing where it has no notifications and no outbox is there. Errors:
// those of the journal, the outbox, the policy and the disk; never a receiver's. Once an hour it also forgets messages
// that were settled more than 90 days ago, what it knew of runs that were pruned, and marks of exported files that are
// gone; not while the clock is suspicious.
Told tell(const files::Home& home, const clock::Clock& clock, const Effort& effort);

[[nodiscard]] bool has_rules(const std::optional<site::Applied>& applied);
[[nodiscard]] std::string appliance_of(const files::Home& home);  // its id; empty: no identity was made

}  // namespace stella::notify
