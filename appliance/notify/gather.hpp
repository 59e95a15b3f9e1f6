// SPDX-License-Identifier: Apache-2.0
// From the journal into the outbox: each event that somebody is to be told of becomes one message for each target. One
// thread.
#pragma once

#include "appliance/journal/journal.hpp"
#include "appliance/notify/outbox.hpp"

namespace stella::notify {

struct Sources {
  const journal::Journal* journal;
  const site::Policy* policy;
  std::string appliance;
};

// When a gate is told to run out soon: with a quarter of its time left, at most one hour before.
[[nodiscard]] clock::Time tell_at(const OpenGate& gate);

// Reads what is new since the last call, in transactions of at most 200 runs; killed anywhere, the next call makes the
// same messages with the same ids. The first call of a home takes nothing of what was before it: the past is not news.
// Nothing in a process that sees some tenants' runs only (journal/visible.hpp): how far the journal was read is one
// number for all, and it would pass the others' changes by. Returns how many messages were queued.
std::size_t gather(Outbox& outbox, const Sources& sources, clock::Time now);
// One test message for each target of the policy; their ids.
[[nodiscard]] std::vector<std::string> queue_tests(Outbox& outbox, const Sources& sources, clock::Time now);

}  // namespace stella::notify
