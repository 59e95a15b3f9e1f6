// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/delivery.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <map>
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

constexpr std::size_t kBatch = 100;

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
    std::set<std::string> open;  // targets
    for (const Outbox::Line& line : outbox_.lines()) {
      if (!spool_if_barred(line)) open.insert(line.target);
    }
    if (!open.empty() && effort_.network == Network::use) post_all(open);
    done_.left = outbox_.count(State::queued);
    return done_;
  }

 private:
  // The rule that messages of the pack to the target have today; with `barred` filled in, they may not be posted.
  const site::Notification* rule_of(const std::string& target, const std::string& pack, Why& barred, Way& way) const {
    const site::Notification* rule = tools_.policy == nullptr ? nullptr : find_target(*tools_.policy, target);
    if (rule == nullptr) {
      barred = {"AIRGAP_EGRESS_BLOCKED", "rule-gone", "the site policy names this receiver no more"};
      return nullptr;
    }
    auto found = find_way(*tools_.policy, *rule, pack);
    if (const auto* closed = std::get_if<Barred>(&found)) {
      barred = {"AIRGAP_EGRESS_BLOCKED", closed->reason, closed->what};
      return nullptr;
    }
    way = std::get<Way>(std::move(found));
    return rule;
  }

  // False: its messages may be posted. What does not fit into the time is left for the next call.
  bool spool_if_barred(const Outbox::Line& line) {
    Why why;
    Way way;
    if (line.to != "spool" && rule_of(line.target, line.pack, why, way) != nullptr) return false;
    while (Steady::now() < until_) {
      const auto entries = outbox_.queued(line, kBatch);
      for (const Entry& entry : entries) spool(entry, why);
      if (entries.size() < kBatch) break;
    }
    return true;
  }

  void spool(const Entry& entry, const Why& why) {
    write_spool(*tools_.home, entry, why);
    settle(entry, State::spooled, entry.attempts, why);
    ++done_.spooled;
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

  // The oldest of any receiver first. Of a receiver that takes none now, or whose oldest is not due, nothing more.
  void post_all(const std::set<std::string>& targets) {
    const files::Fd lock = lock_until(*tools_.home, until_ - effort_.each);
    if (!lock) return;
    std::map<std::int64_t, Entry> heads;  // by number
    const auto queue_up = [&](const std::string& target, std::int64_t after) {
      if (auto next = outbox_.next_of(target, after)) heads.emplace(next->number, std::move(*next));
    };
    for (const std::string& target : targets) queue_up(target, 0);
    while (!heads.empty() && has_time_for_one()) {
      const Entry entry = std::move(heads.extract(heads.begin()).mapped());
      const bool due = effort_.backoff == Backoff::ignore || entry.next <= tools_.clock->now();
      if (due && post(entry)) queue_up(entry.target, entry.number);
    }
  }

  // A post that is cut off may have been taken, and would come twice: none is begun that could be.
  [[nodiscard]] bool has_time_for_one() const { return Steady::now() + effort_.each <= until_; }

  // False: it is still to be posted.
  bool post(const Entry& entry) {
    Why why;
    Way way;
    const site::Notification* rule = rule_of(entry.target, entry.pack, why, way);
    if (rule == nullptr) {
      spool(entry, why);
      return true;
    }
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
    std::vector<std::string> closed = entry.closed;  // who has it, or never will
    closed.insert(closed.end(), answer.closed.begin(), answer.closed.end());
    if (!answer.closed.empty()) outbox_.close_recipients(entry.id, closed);
    if (answer.verdict == Verdict::refused || tools_.clock->now() >= entry.until) {
      if (!closed.empty()) {  // some have it: carried out as a file it would reach them twice
        settle(entry, State::sent, attempts, why);
        ++done_.sent;
        return true;
      }
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
    ++done_.missed;
    return false;
  }

  static std::vector<std::string> still_to_reach(const Entry& entry, const site::Notification& rule) {
    std::vector<std::string> left;
    std::copy_if(rule.recipients.begin(), rule.recipients.end(), std::back_inserter(left), [&](const std::string& one) {
      return std::find(entry.closed.begin(), entry.closed.end(), one) == entry.closed.end();
    });
    return left;
  }

  Answer carry(const Entry& entry, const site::Notification& rule, const Way& way) {
    try {
      const Parcel parcel{.rule = &rule,
                          .way = way,
                          .id = entry.id,
                          .payload = entry.payload,
                          .recipients = still_to_reach(entry, rule),
                          .sender = tools_.appliance.empty() ? "stella" : tools_.appliance,
                          .ca_file = find_ca_file(*tools_.home),
                          .within = effort_.each};
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
