// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/expiry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/kit/delivery.hpp"
#include "appliance/run/disturbance.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/progress.hpp"
#include "appliance/run/record.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

constexpr auto kCode = fault::Code::pack_approval_timeout;

// The gate that ran out; one that was approved in time stays open until the run goes on.
const std::pair<const std::string, GateProgress>* overdue(const Progress& progress, clock::Time now) {
  for (const auto& gate : progress.gates) {
    const bool counts =
        gate.second.waiting_seq > 0 && !gate.second.approved && !is_done(progress.step(gate.second.step).state);
    if (counts && gate.second.expires_at && *gate.second.expires_at <= now) return &gate;
  }
  return nullptr;
}

// A chaos hook held responses back that were there in time: had they come when it ended, the gate would have opened.
// Nothing is opened by this; the runner proves the gate all the same.
std::optional<gate::Tally> opened_in_time(const files::Home& home, const journal::Journal& journal,
                                          const std::string& run, const GateProgress& gate) {
  const Record record = load_record(home, journal, run);
  const plan::Step* step = find_step(record.steps(), gate.step);
  std::optional<clock::Time> arrived;
  for (const chaos::Injection& one : record.progress.chaos) {
    if (step == nullptr || one.hook != chaos::Hook::delay_approvals || !Hooks(record, one.at).concerns(one, *step))
      continue;
    if (one.until > *gate.expires_at) return std::nullopt;
    arrived = std::max(arrived.value_or(one.until), one.until);
  }
  if (!arrived) return std::nullopt;
  const gate::Tally tally = gate::tally(subject_of(record), step->gate, *arrived);
  return tally.standing == gate::Standing::open ? std::optional(tally) : std::nullopt;
}

bool was_delayed(const Progress& progress) {
  return std::any_of(progress.chaos.begin(), progress.chaos.end(),
                     [](const auto& one) { return one.hook == chaos::Hook::delay_approvals; });
}

}  // namespace

bool expire_if_due(const files::Home& home, journal::Journal& journal, const std::string& run, clock::Time now) {
  if (journal.need(run).state != "waiting") return false;
  const Progress progress = progress_of(journal.events(run));
  const auto* gate = overdue(progress, now);
  if (gate == nullptr) return false;
  if (was_delayed(progress)) {
    if (const auto tally = opened_in_time(home, journal, run, gate->second)) {
      const std::vector<journal::NewEvent> opened = {
          event_of("pack.gate.approved", {{"gate", gate->first}, {"approvers", tally->approvers}}, gate->second.step)};
      journal.append(run, opened, {}, now);
      return false;
    }
  }
  const std::string code(fault::info(kCode).name);
  const std::string expired_at = clock::format_millis(*gate->second.expires_at);
  std::vector<journal::NewEvent> events = {
      event_of("pack.gate.expired", {{"gate", gate->first}, {"expiredAt", expired_at}}, gate->second.step)};
  if (progress.has_ending) {
    const fault::Error error(kCode, "expired", fmt::format("gate {} ran out before it was approved", gate->first), run);
    events.push_back(owed_event(error, {{"state", "expired"}, {"gate", gate->first}}));
    journal.append(run, events, change_to("paused", error), now);
    return true;
  }
  events.push_back(event_of("pack.run.expired", {{"code", code}, {"gate", gate->first}}));
  journal.append(run, events, {.state = "expired", .code = code, .reason = "expired"}, now);
  files::crash_point("run.finished");
  try_to_seal(home, journal, run, now);
  return true;
}

void apply_due(const files::Home& home, journal::Journal& journal, clock::Time now) {
  for (const journal::RunRow& row : journal.in_state("waiting")) {
    if (overdue(progress_of(journal.events(row.id)), now) == nullptr) continue;
    if (const auto lock = journal.try_lock_run(row)) expire_if_due(home, journal, row.id, now);
  }
}

journal::Journal open_journal(const files::Home& home, clock::Time now) {
  auto journal = journal::Journal::open(home);
  apply_due(home, journal, now);
  kit::deliver(home, journal);
  return journal;
}

}  // namespace stella::run
