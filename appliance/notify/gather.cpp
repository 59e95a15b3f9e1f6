// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/gather.hpp"

#include <algorithm>
#include <set>

#include "appliance/journal/via.hpp"
#include "appliance/journal/visible.hpp"
#include "appliance/notify/payload.hpp"
#include "appliance/notify/target.hpp"
#include "appliance/notify/wording.hpp"
#include "bundles/files/write.hpp"

namespace stella::notify {
namespace {

constexpr std::size_t kRunsAtOnce = 200;

Draft draft_of(const Message& message, const site::Notification& rule, clock::Time now) {
  const std::string target = target_of(rule), id = id_of(message, target);
  return {.id = id,
          .run = message.run,
          .tenant = message.tenant,
          .pack = message.pack,
          .topic = std::string(moment_of(message.what).topic),
          .to = rule.to,
          .target = target,
          .where = target_words(rule),
          .message = canon::canonical(json_of(message, id)),
          .payload = payload_of(message, rule, id),
          .made = now};
}

// Follows one run: its new events, and the gates that they open and close.
class Follower {
 public:
  Follower(Outbox& outbox, const Sources& sources, clock::Time now) : outbox_(outbox), sources_(sources), now_(now) {}

  void follow(const journal::Journal::Change& change) {
    const std::int64_t seen = outbox_.seen(change.row.id);
    if (seen >= change.last_seq) return;
    sources_.journal->for_each_event(change.row.id, seen, [&](const journal::Event& event) { take(event); });
    tell_heard(change.row);
    outbox_.set_seen(change.row.id, change.last_seq);
  }
  void tell(const Message& message) {
    for (const site::Notification& rule : sources_.policy->notifications) {
      if (wants(rule, message.what, message.tenant, message.pack) && outbox_.queue(draft_of(message, rule, now_)))
        ++queued_;
    }
  }
  [[nodiscard]] std::optional<OpenGate> with_askers(std::optional<OpenGate> gate, const journal::RunRow& row) const {
    if (gate) gate->askers = journal::askers_of(*sources_.journal, row);
    return gate;
  }
  [[nodiscard]] Place place() const { return {sources_.policy, sources_.appliance}; }
  [[nodiscard]] std::size_t queued() const { return queued_; }

 private:
  void take(const journal::Event& event) {
    if (event.type == "pack.gate.waiting") open(event);
    if (event.type == "pack.approval.recorded") approve(event);
    if (const auto what = what_of(event)) heard_.push_back({event, *what, gate_of(event)});
    if (event.type == "pack.gate.approved" || event.type == "pack.gate.rejected" || event.type == "pack.gate.expired")
      outbox_.drop_gate(event.run, data_text(event, "gate", 1000));
    if (event.type == "pack.run.resumed" || ends(event)) outbox_.drop_gate(event.run, "");
  }
  static bool ends(const journal::Event& event) {
    const auto what = what_of(event);
    return what && moment_of(*what).finishes && *what != What::paused;
  }
  // More time for a gate keeps who approved it.
  void open(const journal::Event& event) {
    OpenGate gate = OpenGate::of(event);
    if (const auto before = gate_of(event)) gate.approved = before->approved;
    outbox_.put_gate(event.run, gate, tell_at(gate));
  }
  void approve(const journal::Event& event) {
    auto gate = gate_of(event);
    const std::string who = data_text(event, "approver", 120);
    if (!gate || data_text(event, "decision", 20) != "approved" ||
        std::find(gate->approved.begin(), gate->approved.end(), who) != gate->approved.end())
      return;
    gate->approved.push_back(who);
    outbox_.put_gate(event.run, *gate, tell_at(*gate));
  }
  [[nodiscard]] std::optional<OpenGate> gate_of(const journal::Event& event) const {
    const std::string name = data_text(event, "gate", 1000);
    if (name.empty()) return std::nullopt;
    for (OpenGate& gate : outbox_.gates(event.run)) {
      if (gate.gate == name) return std::move(gate);
    }
    return std::nullopt;
  }

  // Not while the events are read: who asked is in them too.
  void tell_heard(const journal::RunRow& row) {
    for (Heard& one : heard_)
      tell(make_message(place(), row, one.event, one.what, with_askers(std::move(one.gate), row)));
    heard_.clear();
  }

  struct Heard {
    journal::Event event;
    What what;
    std::optional<OpenGate> gate;
  };
  std::vector<Heard> heard_;
  Outbox& outbox_;
  const Sources& sources_;
  clock::Time now_;
  std::size_t queued_ = 0;
};

// Reads on in one transaction; false: there is no more.
bool step(Outbox& outbox, const Sources& sources, Follower& follower) {
  auto transaction = outbox.begin();  // another process may be at it: what is new is known from here on
  const auto changes = sources.journal->changes(outbox.revision().value_or(0), kRunsAtOnce);
  for (const auto& change : changes) follower.follow(change);
  if (!changes.empty()) outbox.set_revision(changes.back().revision);
  files::crash_point("notify.before-queue");
  transaction.commit();
  return changes.size() == kRunsAtOnce;
}

// All that is there when the outbox is made is the past.
void skip_past(Outbox& outbox, const journal::Journal& journal) {
  auto transaction = outbox.begin();
  if (outbox.revision()) return;
  std::int64_t revision = 0;
  for (;;) {
    const auto changes = journal.changes(revision, 1000);
    for (const auto& change : changes) outbox.set_seen(change.row.id, change.last_seq);
    if (!changes.empty()) revision = changes.back().revision;
    if (changes.size() < 1000) break;
  }
  outbox.set_revision(revision);
  transaction.commit();
}

void tell_expiring(Outbox& outbox, const Sources& sources, Follower& follower, clock::Time now) {
  const auto due = outbox.gates_due(now);
  if (due.empty()) return;
  auto transaction = outbox.begin();
  for (const auto& [run, gate] : due) {
    outbox.mark_told(run, gate.gate);
    if (gate.expires_at <= now) continue;  // too late for a warning: that it ran out is told by its event
    try {
      const auto row = sources.journal->need(run);
      follower.tell(make_expiring(follower.place(), row, *follower.with_askers(gate, row), now));
    } catch (const fault::Error& error) {
      if (error.code() != fault::Code::run_not_found) throw;  // pruned meanwhile
    }
  }
  transaction.commit();
}

}  // namespace

clock::Time tell_at(const OpenGate& gate) {
  const clock::Duration whole = gate.expires_at - gate.since;
  return gate.expires_at - std::min<clock::Duration>(whole / 4, std::chrono::hours(1));
}

std::size_t gather(Outbox& outbox, const Sources& sources, clock::Time now) {
  if (!journal::sees_everything()) return 0;
  if (!outbox.revision()) skip_past(outbox, *sources.journal);
  Follower follower(outbox, sources, now);
  while (step(outbox, sources, follower)) {
  }
  tell_expiring(outbox, sources, follower, now);
  files::crash_point("notify.queued");
  return follower.queued();
}

std::vector<std::string> queue_tests(Outbox& outbox, const Sources& sources, clock::Time now) {
  const Message message = make_test({sources.policy, sources.appliance}, now);
  std::set<std::string> targets;
  std::vector<std::string> ids;
  auto transaction = outbox.begin();
  for (const site::Notification& rule : sources.policy->notifications) {
    if (!targets.insert(target_of(rule)).second) continue;
    const Draft draft = draft_of(message, rule, now);
    outbox.queue(draft);
    ids.push_back(draft.id);
  }
  transaction.commit();
  return ids;
}

}  // namespace stella::notify
