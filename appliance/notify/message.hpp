// SPDX-License-Identifier: Apache-2.0
// What one message says, made from an event of the journal, which is redacted, and the site policy. Everything foreign
// in it is printable and bounded. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "appliance/notify/moment.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::notify {

// A gate that waits, as the journal's events so far say. Kept in the outbox between two looks at the journal.
struct OpenGate {
  std::string gate, step, message;
  std::int64_t seq = 0;  // of its pack.gate.waiting
  clock::Time since{}, expires_at{};
  int need = 1;
  std::map<std::string, int> roles;
  std::vector<std::string> approved;     // people
  std::vector<std::string> askers = {};  // who may not approve; from the journal, not kept
  [[nodiscard]] canon::Json json() const;
  static OpenGate parse(const canon::Json& json);
  static OpenGate of(const journal::Event& waiting);
};

struct Missing {
  int approvals = 0;
  std::vector<std::string> people;  // who may still decide: `Ada Obi (safety)`
  std::vector<std::string> roles;   // that nobody who approved has: `safety`
};
// Approvers of the tenant with the scope and a key that is not revoked, who did not ask for the run and have not
// approved.
[[nodiscard]] Missing missing_at(const OpenGate& gate, const site::Policy& policy, const std::string& tenant);

struct Message {
  What what = What::test;
  std::string site, appliance, run, tenant, pack, version, plan_hash, state, step, code, reason;
  std::string headline;  // one line
  std::string text;      // what somebody wrote or the runner said: may be long
  std::string next;      // the exact next command; empty: none
  std::int64_t seq = 0;
  int attempt = 1;
  clock::Time at{};
  std::optional<OpenGate> gate;
  Missing missing;
};

struct Place {  // where the message comes from
  const site::Policy* policy;
  std::string appliance;  // its id; empty: this home has no identity
};
// gate: the one that the event is about, where it is known.
[[nodiscard]] Message make_message(const Place& place, const journal::RunRow& row, const journal::Event& event,
                                   What what, const std::optional<OpenGate>& gate);
[[nodiscard]] Message make_expiring(const Place& place, const journal::RunRow& row, const OpenGate& gate,
                                    clock::Time now);
[[nodiscard]] Message make_test(const Place& place, clock::Time now);

// The stable name of a message for one target, 32 hex digits: the same event, the same id, however often it is made.
// Blocked attempts have one id for each attempt of the run, so that a thousand of them are one message.
[[nodiscard]] std::string id_of(const Message& message, const std::string& target);
// The open matter that it is about, for receivers that keep such: the run's gate, or the run. 32 hex digits.
[[nodiscard]] std::string matter_of(const Message& message);
// stella.notification.v1, docs/formats/notification.md.
[[nodiscard]] canon::Json json_of(const Message& message, const std::string& id);
// Labelled values for people, without headline, text and next; none is empty.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> facts_of(const Message& message);

}  // namespace stella::notify
