// SPDX-License-Identifier: Apache-2.0
#include "appliance/retention/prune.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "appliance/journal/states.hpp"
#include "appliance/retention/large.hpp"
#include "appliance/retention/statement.hpp"
#include "appliance/telemetry/totals.hpp"
#include "bundles/files/write.hpp"

namespace stella::retention {
namespace {

// What the journal says of a run's end, its evidence and its artifacts.
struct Past {
  std::optional<clock::Time> ended;
  std::string sealed;     // list digest of the last attempt's bag
  bool exported = false;  // it, and each earlier one that lies here
  std::string removed;    // the line that says that this attempt's artifacts go; empty: none does
};

Past past_of(const journal::Journal& journal, const journal::RunRow& row) {
  Past past;
  journal::SealedBags bags;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) {
    const bool ends = journal::ends_run(event.type);
    if (ends) past.ended = event.at;
    bags.take(event);
    if (event.attempt == row.attempt && event.type == kArtifactsRemoved) past.removed = event.line;
  });
  if (const journal::SealedBag* last = bags.of(row.attempt)) past.sealed = last->list;
  past.exported = bags.is_exported(row.attempt);
  return past;
}

Verdict judge(const Candidate& candidate, const Rule& rule) {
  if (candidate.begun) return Verdict::due;  // it was decided, and is only brought to its end
  if (candidate.hold) return Verdict::held;
  return candidate.exported || rule.unexported ? Verdict::due : Verdict::unexported;
}

// The stage that is due for a run that ended then; nothing when there is nothing to do.
std::optional<Candidate> weigh(const files::Home& home, const journal::RunRow& row, const Past& past,
                               const Rule& rule) {
  Candidate candidate{.row = row, .ended = past.ended.value_or(row.updated), .exported = past.exported, .hold = {}};
  if (candidate.ended >= rule.artifacts_ended_before) return std::nullopt;
  candidate.stage = candidate.ended < rule.ended_before && !rule.artifacts_only ? Stage::run : Stage::artifacts;
  candidate.size_bytes = candidate.stage == Stage::run ? size_of_run(row.folder) : size_of_large(row.folder);
  if (candidate.stage == Stage::run) return candidate;
  if (past.removed.empty()) return candidate.size_bytes == 0 ? std::nullopt : std::optional(candidate);
  candidate.begun = true;
  const bool whole = candidate.size_bytes == 0 && has_statement(home, row);
  return whole ? std::nullopt : std::optional(candidate);
}

std::string record_artifacts(journal::Journal& journal, const Candidate& one, const Past& past,
                             const journal::Removal& removal, clock::Time now) {
  if (!past.removed.empty()) return past.removed;
  const journal::NewEvent event{std::string(kArtifactsRemoved),
                                "",
                                {{"by", removal.by},
                                 {"why", removal.why},
                                 {"bytes", size_of_large(one.row.folder)},
                                 {"list", past.sealed},
                                 {"exported", past.exported}}};
  const auto said = journal.append(one.row.id, std::span(&event, 1), {}, now);
  files::crash_point("artifacts.recorded");
  return said.back().line;
}

}  // namespace

std::string name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::due:
      return "due";
    case Verdict::held:
      return "held";
    case Verdict::unexported:
      return "unexported";
    case Verdict::busy:
      return "busy";
  }
  return "due";
}

std::string name_of(Stage stage) {
  return stage == Stage::run ? "run" : "artifacts";
}

Rule rule_of(const site::Policy& policy, std::optional<clock::Duration> older_than, clock::Time now) {
  const clock::Duration whole = older_than.value_or(policy.retention);
  const clock::Duration large = std::min(whole, policy.artifact_retention.value_or(whole));
  return {.ended_before = now - whole, .artifacts_ended_before = now - large};
}

std::vector<Candidate> find_due(const files::Home& home, const journal::Journal& journal, const Rule& rule) {
  std::map<std::string, journal::Hold> holds;
  for (const journal::Hold& hold : journal.holds()) holds[hold.run] = hold;
  std::vector<Candidate> found;
  for (const std::string_view state : journal::kFinalStates) {
    for (const journal::RunRow& row : journal.in_state(std::string(state))) {
      // Later events (an export) move `updated`, never before the end: only a created time after the rule's rules out.
      if (row.created >= rule.artifacts_ended_before || (!rule.tenant.empty() && row.tenant != rule.tenant)) continue;
      auto candidate = weigh(home, row, past_of(journal, row), rule);
      if (!candidate) continue;
      if (const auto hold = holds.find(row.id); hold != holds.end()) candidate->hold = hold->second;
      candidate->verdict = judge(*candidate, rule);
      found.push_back(std::move(*candidate));
    }
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.stage, a.ended, a.row.id) < std::tie(b.stage, b.ended, b.row.id);
  });
  return found;
}

bool is_exported(const journal::Journal& journal, const journal::RunRow& row) {
  return past_of(journal, row).exported;
}

std::optional<journal::Event> find_artifacts_removed(const journal::Journal& journal, const journal::RunRow& row) {
  std::optional<journal::Event> found;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) {
    if (event.attempt == row.attempt && event.type == kArtifactsRemoved) found = event;
  });
  return found;
}

Verdict remove(const files::Home& home, journal::Journal& journal, const Candidate& candidate, const Rule& rule,
               const journal::Removal& removal, clock::Time now) {
  const auto lock = journal.try_lock_run(candidate.row);
  if (!lock) return Verdict::busy;
  Candidate again = candidate;
  again.row = journal.need(candidate.row.id);
  if (!journal::is_final(again.row.state) || again.row.attempt != candidate.row.attempt) return Verdict::busy;
  again.hold = journal.hold_of(candidate.row.id);
  if (const Verdict verdict = judge(again, rule); verdict != Verdict::due) return verdict;
  const site::Identity identity = site::load_identity(home);
  if (again.stage == Stage::run) {
    journal::Removal whole = removal;
    whole.totals = telemetry::totals_of(journal, again.row);
    sign_removal(home, identity, journal.remove_run(candidate.row.id, whole, now));
    return Verdict::due;
  }
  const std::string line = record_artifacts(journal, again, past_of(journal, again.row), removal, now);
  remove_large(again.row.folder);
  files::crash_point("artifacts.removed");
  sign_removal(home, identity, again.row, line);
  return Verdict::due;
}

}  // namespace stella::retention
