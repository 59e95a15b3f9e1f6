// SPDX-License-Identifier: Apache-2.0
// pack runs list: the runs of this home, newest first, read from the journal's rows alone.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/cli/state_mark.hpp"
#include "appliance/journal/holder.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/summary.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kLimit = 100, kMaxLimit = 1000000;

std::string state_wanted(Invocation& call) {
  static const std::vector<std::string> kStates = {"planned",   "running", "waiting",   "paused",
                                                   "succeeded", "failed",  "cancelled", "expired"};
  const std::string state = call.value("--state").value_or("");
  if (state.empty() || std::find(kStates.begin(), kStates.end(), state) != kStates.end()) return state;
  const auto guess = canon::nearest(state, kStates);
  throw Error(Code::usage, "state",
              fmt::format("no run is ever `{}`{}", canon::printable(state, 40),
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              "--state", fmt::format("One of {}.", fmt::join(kStates, ", ")));
}

std::size_t limit_wanted(Invocation& call) {
  const auto text = call.value("--limit");
  if (!text) return kLimit;
  const bool digits = !text->empty() && text->size() <= 7 && text->find_first_not_of("0123456789") == std::string::npos;
  const std::size_t limit = digits ? std::stoul(*text) : 0;
  if (limit >= 1 && limit <= kMaxLimit) return limit;
  throw Error(Code::usage, "limit",
              fmt::format("`{}` is no number from 1 to {}", canon::printable(*text, 40), kMaxLimit), "--limit",
              "For example --limit 20.");
}

// 2026-11-23T16:54:33Z, or how long ago: 7d.
std::optional<clock::Time> since_wanted(Invocation& call, clock::Time now) {
  const auto text = call.value("--since");
  if (!text) return std::nullopt;
  if (text->find('-') != std::string::npos) return clock::parse_time(*text, Code::usage, "--since");
  return now - clock::parse_duration(*text, Code::usage, "--since");
}

std::string steps_cell(const canon::Json& run) {
  if (run.at("stepsTotal").is_null()) return "-";
  const auto failed = run.at("stepsFailed").get<std::int64_t>();
  return fmt::format("{}/{}{}", run.at("stepsDone").get<std::int64_t>(), run.at("stepsTotal").get<std::int64_t>(),
                     failed > 0 ? fmt::format(", {} failed", failed) : "");
}

std::vector<std::string> row_of(const Output& out, const journal::RunRow& row, const canon::Json& run,
                                clock::Time now) {
  return {row.id,
          age_text(now - row.created),
          marked(out, row.state),
          row.pack + ":" + row.version,
          row.plan_hash.substr(row.plan_hash.find(':') + 1).substr(0, 12),
          canon::printable(row.requested_by, 60),
          steps_cell(run),
          row.attempt > 1 ? std::to_string(row.attempt) : "",
          row.code};
}

int list_runs(Invocation& call) {
  const clock::Time now = call.clock().now();
  const std::size_t limit = limit_wanted(call);
  journal::Journal::Filter filter{.state = state_wanted(call), .pack = call.value("--pack").value_or("")};
  filter.since = since_wanted(call, now);
  filter.limit = limit + 1;  // one more, to know whether there are more
  if (call.value("--tenant")) filter.tenant = call.tenant();
  const auto journal = run::open_journal(call.home(), looking_time(call));
  auto found = journal.list(filter);
  const bool more = found.size() > limit;
  if (more) found.pop_back();
  std::map<std::string, journal::Hold> holds;
  for (auto& hold : journal.holds()) holds[hold.run] = hold;
  std::vector<std::vector<std::string>> rows;
  canon::Json runs = canon::Json::array();
  for (const auto& row : found) {
    runs.push_back(run::short_json(row));
    const auto hold = holds.find(row.id);
    runs.back()["hold"] = canon::Json();
    if (hold != holds.end())
      runs.back()["hold"] = {
          {"who", hold->second.who}, {"reason", hold->second.reason}, {"at", clock::format(hold->second.at)}};
    const bool interrupted = row.state == "running" && !journal::find_runner(row);
    runs.back()["interrupted"] = interrupted;
    rows.push_back(row_of(call.out(), row, runs.back(), now));
    rows.back().push_back(interrupted ? "interrupted" : hold == holds.end() ? "" : "held");
    call.out().event(runs.back());
  }
  call.out().table({"RUN", "AGE", "STATE", "PACK", "PLAN", "BY", "STEPS", "TRY", "CODE", ""}, rows);
  if (more) call.out().note(fmt::format("the newest {} of them; --limit N shows more", limit));
  call.out().result({{"runs", runs}, {"more", more}});
  return 0;
}

}  // namespace

Command runs_list_command() {
  return {{"pack", "runs", "list"},
          "the runs of this home, newest first",
          "stella pack runs list --state waiting --since 7d",
          {},
          {{"--state", "STATE", "only these: planned running waiting paused succeeded failed cancelled expired", false,
            false, false},
           {"--pack", "NAME", "only of this pack", false, false, false},
           {"--since", "T|DURATION", "only those made since then (2026-11-23T16:00:00Z), or in that time (7d)", false,
            false, false},
           {"--limit", "N", "at most so many (default 100)", false, false, false}},
          list_runs};
}

}  // namespace stella::cli
