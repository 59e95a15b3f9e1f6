// SPDX-License-Identifier: Apache-2.0
// notify list, flush, test, follow: what people are told of runs, and whether it reached them.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "appliance/cli/command.hpp"
#include "appliance/cli/deciding_time.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/notify/gather.hpp"
#include "appliance/notify/round.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/clock_mark.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;
using notify::Entry;
using notify::State;

canon::Json json_of(const Entry& entry) {
  canon::Json json = {{"id", entry.id},
                      {"topic", entry.topic},
                      {"to", entry.to},
                      {"where", entry.where},
                      {"runId", entry.run},
                      {"state", notify::name_of(entry.state)},
                      {"attempts", entry.attempts},
                      {"made", clock::format_millis(entry.made)},
                      {"code", entry.code.empty() ? canon::Json() : canon::Json(entry.code)},
                      {"reason", entry.reason.empty() ? canon::Json() : canon::Json(entry.reason)},
                      {"note", entry.note}};
  json["next"] = entry.state == State::queued ? canon::Json(clock::format_millis(entry.next)) : canon::Json();
  json["settled"] = entry.state == State::queued ? canon::Json() : canon::Json(clock::format_millis(entry.settled));
  return json;
}

std::string what_became(const Entry& entry) {
  std::string text = entry.code;
  if (!entry.reason.empty()) text += fmt::format("{}{}", text.empty() ? "" : " ", entry.reason);
  if (entry.attempts > 1) text += fmt::format("{}{} attempts", text.empty() ? "" : ", ", entry.attempts);
  if (entry.state == State::queued && entry.attempts > 0) text += ", again " + clock::format(entry.next);
  return text;
}

void show(Output& out, const std::vector<Entry>& entries) {
  std::vector<std::vector<std::string>> rows;
  canon::Json all = canon::Json::array();
  for (const Entry& entry : entries) {
    rows.push_back({clock::format(entry.made), entry.topic, entry.where, notify::name_of(entry.state),
                    entry.run.empty() ? "-" : entry.run, what_became(entry)});
    all.push_back(json_of(entry));
  }
  if (!rows.empty()) out.table({"MADE", "TOPIC", "TO", "STATE", "RUN", "WHY"}, rows);
  out.result({{"messages", all}});
}

std::size_t limit_of(Invocation& call) {
  const std::string text = call.value("--limit").value_or("100");
  const bool digits = !text.empty() && text.size() <= 6 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoul(text) == 0) throw Error(Code::usage, "limit", "--limit is a number from 1", "--limit");
  return std::stoul(text);
}

int list_messages(Invocation& call) {
  const std::string state = call.value("--state").value_or("");
  constexpr std::array kStates{"", "queued", "sent", "spooled", "failed"};
  if (std::find(kStates.begin(), kStates.end(), state) == kStates.end())
    throw Error(Code::usage, "state", "--state is queued, sent, spooled or failed", "--state");
  const notify::Outbox::Filter filter{.state = state, .run = call.value("--run").value_or(""), .limit = limit_of(call)};
  if (!notify::Outbox::exists(call.home())) {
    call.out().say("no notification was ever made in this home");
    call.out().result({{"messages", canon::Json::array()}});
    return 0;
  }
  show(call.out(), notify::Outbox::open(call.home()).list(filter));
  return 0;
}

canon::Json json_of(const notify::Delivered& done) {
  return {{"sent", done.sent}, {"spooled", done.spooled}, {"failed", done.failed}, {"left", done.left}};
}

std::string words_of(const notify::Delivered& done) {
  return fmt::format("{} sent, {} spooled, {} given up, {} to be tried again", done.sent, done.spooled, done.failed,
                     done.left);
}

// 10: somebody may try again. Why is in `notify list`. What is not due yet is no failure of a round of what is due.
int status_of(const notify::Delivered& done, notify::Backoff backoff) {
  const std::size_t left = backoff == notify::Backoff::keep ? done.missed : done.left;
  return left > 0 || done.failed > 0 ? 10 : 0;
}

int flush(Invocation& call) {
  if (call.flag("--due") && call.flag("--again"))
    throw Error(Code::usage, "again", "what was given up is never due", "--again", "Leave one of the two away.");
  const auto backoff = call.flag("--due") ? notify::Backoff::keep : notify::Backoff::ignore;
  if (call.flag("--again") && notify::Outbox::exists(call.home()))
    (void)notify::Outbox::open(call.home()).requeue_failed(call.clock().now());
  (void)run::open_journal(call.home(), looking_time(call));  // a gate that ran out is told of as well
  const notify::Told told =
      notify::tell(call.home(), call.clock(), {.backoff = backoff, .within = std::chrono::minutes(5)});
  call.out().say(words_of(told.delivered));
  call.out().result(json_of(told.delivered));
  return status_of(told.delivered, backoff);
}

int test_receivers(Invocation& call) {
  const auto applied = site::load_applied(call.home());
  if (!applied || applied->policy.notifications.empty())
    throw Error(Code::site_invalid, "notifications", "the applied site policy names nobody to tell", {},
                "Have a site admin add `notifications` to the policy: docs/operations/notifications.md.");
  const auto journal = run::open_journal(call.home(), looking_time(call));
  auto outbox = notify::Outbox::open(call.home());
  const std::string appliance = notify::appliance_of(call.home());
  const auto ids = notify::queue_tests(outbox, {&journal, &applied->policy, appliance}, call.clock().now());
  (void)notify::tell(call.home(), call.clock(),
                     {.backoff = notify::Backoff::ignore, .within = std::chrono::minutes(1)});
  std::vector<Entry> entries;
  for (const std::string& id : ids) {
    if (auto entry = outbox.find(id)) entries.push_back(std::move(*entry));
  }
  show(call.out(), entries);
  const auto is = [&](auto test) { return std::find_if(entries.begin(), entries.end(), test); };
  if (const auto barred = is([](const Entry& one) { return !one.code.empty(); }); barred != entries.end())
    throw Error(Code::egress_blocked, barred->reason, fmt::format("{}: {}", barred->where, barred->note), barred->where,
                "It lies in the spool: `stella spool export --media DIR` carries it out.");
  const bool reached =
      is([](const Entry& one) { return one.state == State::queued || one.state == State::failed; }) == entries.end();
  return reached ? 0 : 10;
}

// True when standard input has ended, or cannot be read.
bool wait_for_end(bool until_eof, int millis) {
  struct pollfd input {
    until_eof ? STDIN_FILENO : -1, POLLIN, 0
  };
  if (::poll(&input, 1, millis) <= 0) return false;
  char bytes[256];
  const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
  return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
}

// Ends gates that ran out, as every process does that opens the journal; now and every three seconds. Nothing is due
// while the clock is suspicious.
class Expiry {
 public:
  explicit Expiry(Invocation& call) : call_(call) {}
  void apply_due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::seconds(3);
    try {
      (void)run::open_journal(call_.home(), site::observe_clock(call_.home(), call_.clock().now()));
    } catch (const Error& error) {
      if (error.code() != Code::clock_rollback) throw;
    }
  }

 private:
  Invocation& call_;
  std::chrono::steady_clock::time_point next_{};
};

int follow(Invocation& call) {
  using Steady = std::chrono::steady_clock;
  const bool until_eof = call.flag("--until-eof");
  const auto journal = journal::Journal::open(call.home());
  Expiry expiry(call);
  std::int64_t version = -1;
  Steady::time_point last{};
  for (bool over = false; !over;) {
    over = wait_for_end(until_eof, version < 0 ? 0 : 200);  // the first look at once: somebody may wait for it
    try {
      expiry.apply_due();
      const std::int64_t now = journal.data_version();
      // At most once a second: each look is a write to the disk that a busy runner wants to itself.
      const auto since = Steady::now() - last;
      if (!over && (since < std::chrono::seconds(1) || (now == version && since < std::chrono::seconds(2)))) continue;
      version = now;
      last = Steady::now();
      const notify::Told told = notify::tell(call.home(), call.clock(), {});
      if (told.queued + told.delivered.sent + told.delivered.spooled > 0) call.out().note(words_of(told.delivered));
    } catch (const Error& error) {
      if (error.code() != Code::run_busy && error.code() != Code::no_space) throw;
      call.out().note(fmt::format("note: {}; trying again", error.what()));
    }
  }
  return 0;
}

}  // namespace

std::vector<Command> notify_commands() {
  return {
      {{"notify", "list"},
       "what was told of runs, to whom, and what became of it",
       "stella notify list --state queued",
       {},
       {{"--state", "STATE", "queued, sent, spooled or failed", false, false, false},
        {"--run", "RUN", "of one run", false, false, false},
        {"--limit", "N", "the newest N (default 100)", false, false, false}},
       list_messages},
      {{"notify", "flush"},
       "deliver what waits, now",
       "stella notify flush",
       {},
       {{"--again", "", "also what was given up", false, false, false},
        {"--due", "", "only what is due: for a timer; what waits for its time is no failure", false, false, false}},
       flush},
      {{"notify", "test"},
       "send a test message to each receiver of the policy",
       "stella notify test",
       {},
       {},
       test_receivers},
      {{"notify", "follow"},
       "deliver as things happen, until it is stopped",
       "stella notify follow",
       {},
       {{"--until-eof", "", "end when standard input does", false, false, false}},
       follow},
  };
}

}  // namespace stella::cli
