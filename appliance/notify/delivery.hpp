// SPDX-License-Identifier: Apache-2.0
// From the outbox to receivers and the spool. What may be posted is decided by today's policy, whatever it was when the
// message came up. One thread; of several processes one posts at a time.
//
// A message is marked before it is posted and after: killed between, it is posted again under the same id. It is posted
// at least once, and where the receiver knows ids (Idempotency-Key, Message-ID, dedup_key) it counts once.
// Crash points: notify.sending, notify.posted, notify.sent, and those of spool.hpp.
#pragma once

#include <string>
#include <vector>

#include "appliance/notify/courier.hpp"
#include "appliance/notify/outbox.hpp"
#include "bundles/clock/time.hpp"

namespace stella::notify {

enum class Network { use, leave };    // leave: only what goes into the spool
enum class Backoff { keep, ignore };  // ignore: also what is not due yet
struct Effort {
  Network network = Network::use;
  Backoff backoff = Backoff::keep;
  clock::Duration within = std::chrono::seconds(30);  // all of it; what is left waits for the next call
  clock::Duration each = std::chrono::seconds(15);    // one post at most; none is begun with less time than that
};
struct Delivered {
  std::size_t sent = 0, spooled = 0, failed = 0, left = 0;  // left: still queued
  std::size_t missed = 0;                                   // of those left: tried now, and not taken
};
struct Tools {
  const files::Home* home;
  const site::Policy* policy;  // nullptr: none is applied
  std::string appliance;
  Courier* courier;
  const clock::Clock* clock;
};

// After the n-th attempt (from 1): 5 s, doubled each time, at most an hour, and between 0.8 and 1.2 of that by `dice`
// (0..1), so that what failed together does not come back together.
[[nodiscard]] clock::Duration delay_after(int attempts, double dice);

// Each receiver's messages in their order; where one fails, those behind it to the same receiver wait for the next
// call, and however many they are, no other's do. Never throws for what a receiver or a credential does; throws for the
// outbox and the disk.
Delivered deliver(Outbox& outbox, const Tools& tools, const Effort& effort);

}  // namespace stella::notify
