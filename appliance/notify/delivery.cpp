// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/delivery.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>
#include <thread>

#include "appliance/notify/credential.hpp"
#include "appliance/notify/spool.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/write.hpp"

namespace stella::notify {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kBatch = 500;

double dice() {
  static std::mt19937 engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

// Held while this process posts; goes with it. Another one waits a little and then leaves it to the holder.
files::Fd lock_until(const files::Home& home, Steady::time_point until) {
  const std::string path = spool_of(home) + "/.lock";
  files::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) throw fault::system_error(errno, "locking", path);
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (Steady::now() >= until) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

class Delivery {
 public:
  Delivery(Outbox& outbox, const Tools& tools, const Effort& effort)
      : outbox_(outbox), tools_(tools), effort_(effort), until_(Steady::now() + effort.within) {}

  Delivered run() {
    bool more = false;
    for (const Entry& entry : outbox_.queued(kBatch)) more = !spool_if_barred(entry) || more;
    if (more && effort_.network == Network::use) post_all();
    done_.left = outbox_.count(State::queued);
    return done_;
  }

 private:
  // The rule that the message has today; with `barred` filled in, it may not be posted.
  const site::Notification* rule_of(const Entry& entry, Why& barred, Way& way) const {
    const site::Notification* rule = tools_.policy == nullptr ? nullptr : find_target(*tools_.policy, entry.target);
    if (rule == nullptr) {
      barred = {"AIRGAP_EGRESS_BLOCKED", "rule-gone", "the site policy names this receiver no more"};
      return nullptr;
    }
    auto found = find_way(*tools_.policy, *rule, entry.pack);
    if (const auto* closed = std::get_if<Barred>(&found)) {
      barred = {"AIRGAP_EGRESS_BLOCKED", closed->reason, closed->what};
      return nullptr;
    }
    way = std::get<Way>(std::move(found));
    return rule;
  }

  bool spool_if_barred(const Entry& entry) {
    Why why;
    Way way;
    if (entry.to != "spool" && rule_of(entry, why, way) != nullptr) return false;
    write_spool(*tools_.home, entry, why);
    settle(entry, State::spooled, entry.attempts, why);
    ++done_.spooled;
    return true;
  }

  void settle(const Entry& entry, State state, int attempts, const Why& why) {
    outbox_.change(entry.id, {.state = state,
                              .attempts = attempts,
                              .next = entry.next,
                              .settled = tools_.clock->now(),
                              .code = why.code,
                              .reason = why.reason,
                              .note = canon::printable(why.what, 500)});
  }

  void post_all() {
    const files::Fd lock = lock_until(*tools_.home, until_);
    if (!lock) return;
    std::set<std::string> stuck;  // targets
    for (const Entry& listed : outbox_.queued(kBatch)) {
      if (Steady::now() >= until_) return;
      if (stuck.contains(listed.target)) continue;
      const bool due = effort_.backoff == Backoff::ignore || listed.next <= tools_.clock->now();
      if (!due || !post(listed)) stuck.insert(listed.target);
    }
  }

  // False: it is still to be posted.
  bool post(const Entry& entry) {
    Why why;
    Way way;
    const site::Notification* rule = rule_of(entry, why, way);
    if (rule == nullptr) return spool_if_barred(entry);
    const int attempts = entry.attempts + 1;
    const auto next = tools_.clock->now() + delay_after(attempts, dice());
    outbox_.change(entry.id, {.state = State::queued, .attempts = attempts, .next = next, .reason = "sending"});
    files::crash_point("notify.sending");
    const Answer answer = carry(entry, *rule, way);
    files::crash_point("notify.posted");
    why = {"", answer.reason, answer.what};
    if (answer.verdict == Verdict::sent) {
      settle(entry, State::sent, attempts, why);
      files::crash_point("notify.sent");
      ++done_.sent;
      return true;
    }
    if (answer.verdict == Verdict::refused || tools_.clock->now() >= entry.until) {
      write_spool(*tools_.home, entry, why);
      settle(entry, State::failed, attempts, why);
      ++done_.failed;
      return true;
    }
    outbox_.change(entry.id, {.state = State::queued,
                              .attempts = attempts,
                              .next = std::max(next, tools_.clock->now() + answer.wait.value_or(clock::Duration{0})),
                              .reason = why.reason,
                              .note = canon::printable(why.what, 500)});
    return false;
  }

  Answer carry(const Entry& entry, const site::Notification& rule, const Way& way) {
    const auto left = std::chrono::duration_cast<clock::Duration>(until_ - Steady::now());
    try {
      const Parcel parcel{.rule = &rule,
                          .way = way,
                          .id = entry.id,
                          .payload = entry.payload,
                          .sender = tools_.appliance.empty() ? "stella" : tools_.appliance,
                          .ca_file = find_ca_file(*tools_.home),
                          .within = std::clamp(left, clock::Duration(100), effort_.each)};
      return tools_.courier->carry(parcel, load_credential(*tools_.home, rule.credential));
    } catch (const fault::Error& error) {
      return {Verdict::later, "credential", error.what()};
    }
  }

  Outbox& outbox_;
  const Tools& tools_;
  const Effort& effort_;
  Steady::time_point until_;
  Delivered done_;
};

}  // namespace

clock::Duration delay_after(int attempts, double fate) {
  constexpr clock::Duration kFirst = std::chrono::seconds(5), kLast = std::chrono::hours(1);
  const clock::Duration whole = std::min(kFirst * (std::int64_t{1} << std::clamp(attempts - 1, 0, 20)), kLast);
  return clock::Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * (0.8 + 0.4 * fate)));
}

Delivered deliver(Outbox& outbox, const Tools& tools, const Effort& effort) {
  return Delivery(outbox, tools, effort).run();
}

}  // namespace stella::notify
