// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/sit_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "appliance/run/finish.hpp"
#include "appliance/run/stop.hpp"

namespace stella::cli {
namespace {

using std::chrono::steady_clock;

bool is_chaos_pause(const run::Outcome& outcome) {
  return outcome.error && outcome.error->code() == fault::Code::pack_chaos_paused;
}

// Of the pauses that have paused it, the last to end.
clock::Time end_of_pause(const run::Live& live) {
  clock::Time end = live.now();
  for (const chaos::Injection& one : live.progress().chaos) {
    if (one.hook == chaos::Hook::pause && one.is_spent) end = std::max(end, one.until);
  }
  return end;
}

run::Stop sleep_until(const run::Live& live, clock::Time end) {
  const auto left = std::min<clock::Duration>(end - live.now(), chaos::kLongestSpan);  // whatever the clock does
  const auto until = steady_clock::now() + left;
  for (;;) {
    if (const run::Stop stop = run::asked_to_stop(live.folder()); stop != run::Stop::none) return stop;
    const auto now = steady_clock::now();
    if (now >= until) return run::Stop::none;
    std::this_thread::sleep_for(std::min<steady_clock::duration>(until - now, std::chrono::milliseconds(50)));
  }
}

}  // namespace

std::optional<run::Outcome> sit_out_pause(Invocation& call, run::Live& live, const run::Outcome& outcome) {
  if (!is_chaos_pause(outcome) || !live.choices().wait || call.value("--secrets") == "-") return outcome;
  const clock::Time end = end_of_pause(live);
  call.out().note(fmt::format("paused by a chaos hook until {}: {}", clock::format(end), outcome.error->what()));
  switch (sleep_until(live, end)) {
    case run::Stop::none:
      return std::nullopt;
    case run::Stop::interrupted:
      return outcome;
    case run::Stop::cancelled:
      break;
  }
  const bool has_ending = live.progress().started && live.progress().has_ending;
  if (!has_ending || live.progress().owed.is_object()) return run::finish_cancelled(live);
  run::owe_cancelled(live);
  return std::nullopt;
}

}  // namespace stella::cli
