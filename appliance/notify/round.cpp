// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/round.hpp"

#include <sys/stat.h>

#include "appliance/journal/journal.hpp"
#include "appliance/journal/visible.hpp"
#include "appliance/notify/gather.hpp"
#include "bundles/site/clock_mark.hpp"
#include "bundles/site/identity.hpp"

namespace stella::notify {
namespace {

constexpr clock::Duration kKeep = std::chrono::hours(24 * 90), kEvery = std::chrono::hours(1);

bool has_run(const journal::Journal& journal, const std::string& run) {
  try {
    return journal.need(run).id == run;
  } catch (const fault::Error& error) {
    if (error.code() != fault::Code::run_not_found) throw;
    return false;
  }
}

// Not by a clock that may have leapt: what it would forget is not to be had again.
void tidy(const files::Home& home, const journal::Journal& journal, Outbox& outbox, clock::Time now) {
  if (!journal::sees_everything() || !site::look_at_clock(home, now).suspicion.empty()) return;
  const auto has_file = [&home](const std::string& file) {
    struct stat found {};
    return ::lstat((spool_of(home) + "/" + file).c_str(), &found) == 0;
  };
  outbox.tidy({.before = now - kKeep,
               .has_run = [&journal](const std::string& run) { return has_run(journal, run); },
               .has_file = has_file},
              now);
}

// At a time before the last one too: the clock was put right since.
bool is_due(const std::optional<clock::Time>& last, clock::Time now) {
  return !last || now < *last || now - *last >= kEvery;
}

}  // namespace

std::string appliance_of(const files::Home& home) {
  return site::has_identity(home) ? site::load_identity(home).id : std::string();
}

bool has_rules(const std::optional<site::Applied>& applied) {
  return applied && !applied->policy.notifications.empty();
}

Told tell(const files::Home& home, const clock::Clock& clock, const Effort& effort) {
  const auto applied = site::load_applied(home);
  if (!has_rules(applied) && !Outbox::exists(home)) return {};
  const auto journal = journal::Journal::open(home);
  auto outbox = Outbox::open(home);
  const std::string appliance = appliance_of(home);
  static const site::Policy kNone;
  const site::Policy& policy = applied ? applied->policy : kNone;
  Told told;
  told.queued = gather(outbox, {&journal, &policy, appliance}, clock.now());
  const auto courier = make_courier();
  const Tools tools{&home, &policy, appliance, courier.get(), &clock};
  told.delivered = deliver(outbox, tools, effort);
  if (is_due(outbox.tidied(), clock.now())) tidy(home, journal, outbox, clock.now());
  return told;
}

}  // namespace stella::notify
