// SPDX-License-Identifier: Apache-2.0
// Which runs, or what is large in them, have been kept long enough, and their removal. Reads the journal; never touches
// the approval ledger. One thread.
//
// Two stages. artifacts: work/, artifacts/, pack/ and the sealed bags go; journal, logs, plan and the run's own copies
// of pack and inputs stay, so the run can be read and begun anew. run: all of it goes, what is large first. Each
// removal is recorded before anything goes and signed after (statement.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "bundles/site/policy.hpp"

namespace stella::retention {

// due: it is removed. held: somebody holds it. unexported: a bag that lies here was never exported. busy: another
// process has it.
enum class Verdict { due, held, unexported, busy };
enum class Stage { artifacts, run };
[[nodiscard]] std::string name_of(Verdict verdict);
[[nodiscard]] std::string name_of(Stage stage);

struct Candidate {
  journal::RunRow row;
  clock::Time ended{};
  bool exported = false;
  std::optional<journal::Hold> hold;
  Stage stage = Stage::run;
  bool begun = false;  // the removal of its artifacts is in the journal, and did not come to its end
  Verdict verdict = Verdict::due;
  std::uint64_t size_bytes = 0;  // what would be freed: of its folder, or of what is large in it
};

struct Rule {
  clock::Time ended_before;            // whole runs
  clock::Time artifacts_ended_before;  // what is large in them; not before `ended_before`
  bool unexported = false;             // remove what was never exported too
  std::string tenant = {};             // empty: all
  bool artifacts_only = false;         // no whole run goes, however old
};
// What the policy says, at `now`. `older_than` stands in for its `runs`, and for its `artifacts` where those are
// longer.
[[nodiscard]] Rule rule_of(const site::Policy& policy, std::optional<clock::Duration> older_than, clock::Time now);

// What has been kept long enough: first artifacts, then whole runs, each oldest first. Runs that have not ended never
// appear.
[[nodiscard]] std::vector<Candidate> find_due(const files::Home& home, const journal::Journal& journal,
                                              const Rule& rule);
// Whether the evidence of the run was exported, of each attempt, by the journal's word.
[[nodiscard]] bool is_exported(const journal::Journal& journal, const journal::RunRow& row);
// The event that recorded the removal of the last attempt's artifacts; nothing: they are there.
[[nodiscard]] std::optional<journal::Event> find_artifacts_removed(const journal::Journal& journal,
                                                                   const journal::RunRow& row);
// Takes the run's lock, looks again, records, removes, signs. The verdict it had at that moment: only `due` was
// removed. ERR_KEY_UNUSABLE reason identity, before anything is removed; ERR_NO_SPACE when even the reserve is not
// enough.
Verdict remove(const files::Home& home, journal::Journal& journal, const Candidate& candidate, const Rule& rule,
               const journal::Removal& removal, clock::Time now);

}  // namespace stella::retention
