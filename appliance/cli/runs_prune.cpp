// SPDX-License-Identifier: Apache-2.0
// pack runs prune, hold, release: how long runs are kept.
#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/cli/state_mark.hpp"
#include "appliance/retention/prune.hpp"
#include "appliance/retention/statement.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;
using retention::Candidate;
using retention::Stage;
using retention::Verdict;

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  const double kib = static_cast<double>(bytes) / 1024;
  return kib < 1024 ? fmt::format("{:.1f} KiB", kib) : fmt::format("{:.1f} MiB", kib / 1024);
}

// The site policy's `retention`, else 30 days; --older-than stands in for it.
retention::Rule rule_of(Invocation& call, clock::Time now) {
  std::optional<clock::Duration> older_than;
  if (const auto text = call.value("--older-than"))
    older_than = clock::parse_duration(*text, Code::usage, "--older-than");
  const auto applied = site::load_applied(call.home());
  retention::Rule rule = retention::rule_of(applied ? applied->policy : site::Policy{}, older_than, now);
  rule.unexported = call.flag("--unexported");
  rule.artifacts_only = call.flag("--artifacts");
  if (call.value("--tenant")) rule.tenant = call.tenant();
  return rule;
}

// Why it goes: what the record of its removal says.
std::string why_due(const Candidate& one, const retention::Rule& rule, clock::Time now) {
  if (one.begun) return "goes on: its removal was recorded and not finished";
  const clock::Time limit = one.stage == Stage::run ? rule.ended_before : rule.artifacts_ended_before;
  return fmt::format("ended more than {} ago{}", clock::format_duration(now - limit),
                     one.exported ? "" : ", evidence never exported");
}

std::string what_goes(const Candidate& one) {
  return one.stage == Stage::run ? "the run" : "its artifacts";
}

std::string why_kept(const Candidate& one) {
  switch (one.verdict) {
    case Verdict::held:
      return one.hold ? fmt::format("held by {} since {}: {}", one.hold->who, clock::format(one.hold->at),
                                    canon::printable(one.hold->reason, 200))
                      : "held";
    case Verdict::unexported:
      return "its evidence was never exported (--unexported removes it all the same)";
    case Verdict::busy:
      return "another process has it";
    case Verdict::due:
      break;
  }
  return "";
}

canon::Json json_of(const Candidate& one) {
  canon::Json row = {{"runId", one.row.id},
                     {"state", one.row.state},
                     {"pack", one.row.pack + ":" + one.row.version},
                     {"ended", clock::format(one.ended)},
                     {"exported", one.exported},
                     {"stage", retention::name_of(one.stage)},
                     {"bytes", one.size_bytes}};
  if (one.verdict != Verdict::due) row["kept"] = retention::name_of(one.verdict);
  return row;
}

struct Table {
  const std::vector<Candidate>& all;
  const retention::Rule& rule;
  clock::Time now;
};

void say_candidates(Output& out, const Table& table, const char* word) {
  std::vector<std::vector<std::string>> rows;
  for (const Candidate& one : table.all)
    rows.push_back({one.row.id, marked(out, one.row.state), age_text(table.now - one.ended), size_text(one.size_bytes),
                    one.exported ? "exported" : "not exported",
                    one.verdict == Verdict::due
                        ? fmt::format("{} {}: {}", what_goes(one), word, why_due(one, table.rule, table.now))
                        : "kept: " + why_kept(one)});
  if (!rows.empty()) out.table({"RUN", "STATE", "ENDED", "SIZE", "EVIDENCE", "WHAT"}, rows);
}

struct Sum {
  std::size_t runs = 0, artifacts = 0;
  std::uint64_t bytes = 0;
};
Sum sum_of_due(const std::vector<Candidate>& all) {
  Sum sum;
  for (const Candidate& one : all) {
    if (one.verdict != Verdict::due) continue;
    ++(one.stage == Stage::run ? sum.runs : sum.artifacts);
    sum.bytes += one.size_bytes;
  }
  return sum;
}

void say_result(Invocation& call, const std::vector<Candidate>& all, bool dry) {
  canon::Json removed = canon::Json::array(), kept = canon::Json::array();
  for (const Candidate& one : all) (one.verdict == Verdict::due ? removed : kept).push_back(json_of(one));
  const Sum sum = sum_of_due(all);
  const std::string artifacts = sum.artifacts == 0 ? "" : fmt::format("artifacts of {} more, ", sum.artifacts);
  call.out().say(fmt::format("{} {} runs, {}{} {}; {} kept", dry ? "would remove" : "removed", sum.runs, artifacts,
                             size_text(sum.bytes), dry ? "would be freed" : "freed", kept.size()));
  call.out().result({{"dryRun", dry}, {"removed", removed}, {"kept", kept}, {"freedBytes", sum.bytes}});
}

int prune_runs(Invocation& call) {
  const bool dry = call.flag("--dry-run");
  // Looking only, a doubtful clock makes nothing old; removing, it is refused.
  const clock::Time now = dry ? looking_time(call) : deciding_time(call);
  const retention::Rule rule = rule_of(call, now);
  auto journal = run::open_journal(call.home(), now);
  if (!dry) {  // what an earlier prune was killed at
    journal.sweep();
    (void)retention::sign_unsigned(call.home(), journal);
  }
  auto all = retention::find_due(call.home(), journal, rule);
  const Table table{all, rule, now};
  const Sum sum = sum_of_due(all);
  if (dry || sum.runs + sum.artifacts == 0) {
    say_candidates(call.out(), table, "would be removed");
    say_result(call, all, dry);
    return 0;
  }
  if (!call.yes()) say_candidates(call.out(), table, "to be removed");
  if (!call.confirm(fmt::format("Remove {} runs and the artifacts of {} more ({}) for good?", sum.runs, sum.artifacts,
                                size_text(sum.bytes))))
    return 0;
  for (Candidate& one : all) {
    if (one.verdict != Verdict::due) continue;
    const journal::Removal removal{.by = operator_here(call, one.row.tenant), .why = why_due(one, rule, now)};
    one.verdict = retention::remove(call.home(), journal, one, rule, removal, now);
  }
  say_candidates(call.out(), table, "removed");
  say_result(call, all, false);
  return 0;
}

// In the run's own journal: who held a run and who let it go can be asked for ever. A run whose journal was damaged is
// the last that must not be held.
void record(Invocation& call, journal::Journal& journal, const std::string& run, const journal::NewEvent& event) {
  try {
    (void)journal.append(run, std::span(&event, 1), {}, call.clock().now());
  } catch (const Error& error) {
    if (error.code() != Code::journal_tampered) throw;
    call.out().note(fmt::format("the run's journal was damaged and cannot say so: {}", error.what()));
  }
}

int hold_run(Invocation& call) {
  const std::string id = need_run(call), reason = reason_of(call);
  if (reason.empty())
    throw Error(Code::usage, "reason", "a hold needs a reason", "--reason", "Say why: --reason \"audit 2026-11\".");
  auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  const std::string who = operator_here(call, row.tenant);
  journal.hold(id, reason, who, call.clock().now());
  record(call, journal, id, {"pack.hold.placed", "", {{"by", who}, {"reason", reason}}});
  call.out().say(fmt::format("{} is held by {}: it is not pruned until `stella pack runs release {}`", id, who, id));
  call.out().result({{"runId", id}, {"held", true}, {"who", who}, {"reason", reason}});
  return 0;
}

int release_run(Invocation& call) {
  const std::string id = need_run(call);
  auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  if (journal.hold_of(id))
    record(call, journal, id, {"pack.hold.released", "", {{"by", operator_here(call, row.tenant)}}});
  const bool stood = journal.release(id);
  call.out().say(stood ? fmt::format("{} is released", id) : fmt::format("{} was not held", id));
  call.out().result({{"runId", id}, {"held", false}, {"released", stood}});
  return 0;
}

}  // namespace

std::vector<Command> runs_retention_commands() {
  const std::string example = "run:plant-7:20261123T165433120Z";
  return {
      {{"pack", "runs", "prune"},
       "remove artifacts, then runs, that ended long ago; held and unexported ones stay",
       "stella pack runs prune --older-than 30d --dry-run",
       {},
       {{"--older-than", "DURATION", "since their end (default: the policy's retention.runs)", false, false, false},
        {"--artifacts", "", "only what is large; logs, journal and plan stay", false, false, false},
        {"--unexported", "", "also what was never exported; the record says so", false, false, false},
        {"--dry-run", "", "only say what would be removed and why", false, false, false}},
       prune_runs},
      {{"pack", "runs", "hold"},
       "keep a run from being pruned",
       "stella pack runs hold " + example + " --reason \"audit 2026-11\"",
       {kRunArgument},
       {kRunOption, {"--reason", "TEXT", "why it is kept", true, false, false}},
       hold_run},
      {{"pack", "runs", "release"},
       "let a held run be pruned again",
       "stella pack runs release " + example,
       {kRunArgument},
       {kRunOption},
       release_run},
  };
}

}  // namespace stella::cli
