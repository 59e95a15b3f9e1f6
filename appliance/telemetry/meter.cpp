// SPDX-License-Identifier: Apache-2.0
#include "appliance/telemetry/meter.hpp"

#include "appliance/telemetry/standing.hpp"

namespace stella::telemetry {
namespace {

constexpr std::size_t kAtOnce = 500;

}  // namespace

void Meter::reset() {
  readings_.clear();
  totals_ = {};
  revision_ = removal_ = 0;
}

void Meter::catch_up() {
  const std::int64_t version = journal_->data_version();  // before the reading: what comes during it changes it again
  if (version == version_) return;
  if (take_removals() == Removals::unclear) {
    reset();
    (void)take_removals();
  }
  follow();
  version_ = version;
}

// A removed run's part of the sums stays. Was it not read to its end before it went, everything is computed anew: its
// totals hold what was read of it, too.
Meter::Removals Meter::take_removals() {
  for (const journal::Remains& gone : journal_->remains(removal_)) {
    const auto known = readings_.find(gone.run);
    if (known != readings_.end() && known->second.last_seq != gone.last_seq) return Removals::unclear;
    if (known == readings_.end() && !gone.totals.is_null()) totals_.add(Totals::from_json(gone.totals));
    if (known != readings_.end()) readings_.erase(known);
    removal_ = gone.number;
  }
  return Removals::taken;
}

void Meter::follow() {
  for (;;) {
    const auto changes = journal_->changes(revision_, kAtOnce);
    for (const journal::Journal::Change& change : changes) {
      Reading& reading = readings_.try_emplace(change.row.id, Reading{.tenant = change.row.tenant}).first->second;
      reading.state = change.row.state;
      journal_->for_each_event(change.row.id, reading.last_seq,
                               [&](const journal::Event& event) { take(reading, event, totals_); });
      revision_ = change.revision;
    }
    if (changes.size() < kAtOnce) return;
  }
}

std::vector<Family> Meter::families(clock::Time now) const {
  Standing standing(totals_, now);
  for (const auto& [id, reading] : readings_) standing.take(reading);
  return standing.families();
}

}  // namespace stella::telemetry
