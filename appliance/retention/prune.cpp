// SPDX-License-Identifier: Apache-2.0
#include "appliance/retention/prune.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "appliance/telemetry/totals.hpp"

namespace stella::retention {
namespace {

constexpr std::array kFinal = {"succeeded", "failed", "cancelled", "expired"};

bool has_ended(const std::string& state) {
  return std::find(kFinal.begin(), kFinal.end(), state) != kFinal.end();
}

// What the journal says of a run's end and its evidence.
struct Past {
  std::optional<clock::Time> ended;
  std::string sealed;  // list digest of the last attempt's bag
  bool exported = false;
};

Past past_of(const journal::Journal& journal, const journal::RunRow& row) {
  Past past;
  std::vector<std::string> exported;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) {
    const bool ends = event.type.starts_with("pack.run.") && has_ended(event.type.substr(9));
    if (ends) past.ended = event.at;
    if (event.attempt != row.attempt) return;
    if (event.type == "pack.evidence.sealed") past.sealed = event.data.value("list", std::string());
    if (event.type == "pack.evidence.exported") exported.push_back(event.data.value("list", std::string()));
  });
  past.exported = !past.sealed.empty() && std::find(exported.begin(), exported.end(), past.sealed) != exported.end();
  return past;
}

// Blocks of regular files; what cannot be read counts nothing. Links are not followed.
std::uint64_t size_of_tree(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  auto at = std::filesystem::recursive_directory_iterator(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (at->is_symlink(ignored) || !at->is_regular_file(ignored)) continue;
    const auto size = at->file_size(ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

Verdict judge(const Candidate& candidate, const Rule& rule) {
  if (candidate.hold) return Verdict::held;
  return candidate.exported || rule.unexported ? Verdict::due : Verdict::unexported;
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

std::vector<Candidate> find_due(const journal::Journal& journal, const Rule& rule) {
  std::map<std::string, journal::Hold> holds;
  for (const journal::Hold& hold : journal.holds()) holds[hold.run] = hold;
  std::vector<Candidate> found;
  for (const char* state : kFinal) {
    for (const journal::RunRow& row : journal.in_state(state)) {
      // Later events (an export) move `updated`, never before the end: only a created time after the rule's rules out.
      if (row.created >= rule.ended_before || (!rule.tenant.empty() && row.tenant != rule.tenant)) continue;
      const Past past = past_of(journal, row);
      const clock::Time ended = past.ended.value_or(row.updated);
      if (ended >= rule.ended_before) continue;
      Candidate candidate{.row = row, .ended = ended, .exported = past.exported, .hold = {}};
      if (const auto hold = holds.find(row.id); hold != holds.end()) candidate.hold = hold->second;
      candidate.verdict = judge(candidate, rule);
      candidate.size_bytes = size_of_tree(row.folder);
      found.push_back(std::move(candidate));
    }
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.ended, a.row.id) < std::tie(b.ended, b.row.id);
  });
  return found;
}

bool is_exported(const journal::Journal& journal, const journal::RunRow& row) {
  return past_of(journal, row).exported;
}

Verdict remove(journal::Journal& journal, const Candidate& candidate, const Rule& rule, const journal::Removal& removal,
               clock::Time now) {
  const auto lock = journal.try_lock_run(candidate.row);
  if (!lock) return Verdict::busy;
  Candidate again = candidate;
  again.row = journal.need(candidate.row.id);
  if (!has_ended(again.row.state) || again.row.attempt != candidate.row.attempt) return Verdict::busy;
  again.hold = journal.hold_of(candidate.row.id);
  const Verdict verdict = judge(again, rule);
  if (verdict == Verdict::due) {
    journal::Removal whole = removal;
    whole.totals = telemetry::totals_of(journal, again.row);
    (void)journal.remove_run(candidate.row.id, whole, now);
  }
  return verdict;
}

}  // namespace stella::retention
