// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/round.hpp"

#include "appliance/journal/journal.hpp"
#include "appliance/journal/visible.hpp"
#include "appliance/notify/gather.hpp"
#include "bundles/site/identity.hpp"

namespace stella::notify {
namespace {

constexpr clock::Duration kKeepSent = std::chrono::hours(24 * 90);

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
  return told;
}

void tidy(const files::Home& home, const clock::Clock& clock) {
  if (!Outbox::exists(home) || !journal::sees_everything()) return;
  const auto journal = journal::Journal::open(home);
  Outbox::open(home).tidy(clock.now() - kKeepSent, [&](const std::string& run) {
    try {
      return journal.need(run).id == run;
    } catch (const fault::Error& error) {
      if (error.code() != fault::Code::run_not_found) throw;
      return false;
    }
  });
}

}  // namespace stella::notify
