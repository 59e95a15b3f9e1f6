// SPDX-License-Identifier: Apache-2.0
// What people decide about a waiting gate: more time, or no.
#include <fmt/format.h>

#include "appliance/journal/states.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/gates.hpp"
#include "appliance/run/record.hpp"

namespace stella::run {

journal::NewEvent waiting_event(const plan::Step& step, clock::Time expires_at, const std::string& by) {
  canon::Json data = {{"gate", step.gate.id},
                      {"threshold", step.gate.threshold},
                      {"roles", step.gate.roles},
                      {"message", step.gate.message},
                      {"expiresAt", clock::format_millis(expires_at)}};
  if (!by.empty()) data["by"] = by;
  return {"pack.gate.waiting", step.id, std::move(data)};
}

void extend_gate(journal::Journal& journal, const Record& record, const std::string& gate, clock::Duration by,
                 const journal::Asker& asker, clock::Time now) {
  (void)expiry_of(record, gate);  // refuses a gate that does not wait
  if (const plan::Step* step = find_gate_step(record.steps(), gate)) {
    std::vector<journal::NewEvent> events = {waiting_event(*step, now + by, asker.who)};
    journal::put_via(events.front().data, asker.via);
    journal.append(record.row.id, events, {.requested_by = asker.who}, now);
  }
}

void end_rejected(const files::Home& home, journal::Journal& journal, const Record& record, const gate::Tally& tally,
                  clock::Time now) {
  const std::string& run = record.row.id;
  if (journal::is_final(journal.need(run).state)) return;
  const plan::Step* found = find_gate_step(record.steps(), tally.gate);
  const std::string step = found == nullptr ? std::string() : found->id;
  const fault::Error error = rejected(run, tally);
  const std::string code(fault::info(error.code()).name);
  std::vector<journal::NewEvent> events = {
      {"pack.gate.rejected", step, {{"gate", tally.gate}, {"by", tally.decided_by}, {"comment", tally.comment}}}};
  if (has_ending(*record.plan)) {
    events.push_back(owed_event(error, {{"state", "failed"}, {"step", step}}));
    journal.append(run, events, change_to("paused", error), now);
    return;
  }
  events.push_back(
      {"pack.run.failed", {}, {{"code", code}, {"reason", error.reason()}, {"message", error.what()}, {"step", step}}});
  journal.append(run, events, change_to("failed", error), now);
  try_to_seal(home, journal, run, now);
}

}  // namespace stella::run
