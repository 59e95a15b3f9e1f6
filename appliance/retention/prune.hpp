// SPDX-License-Identifier: Apache-2.0
// Which runs have been kept long enough, and their removal. Reads the journal; never touches the approval ledger.
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"

namespace stella::retention {

// due: it is removed. held: somebody holds it. unexported: no bag of its last attempt was ever exported. busy: another
// process has it.
enum class Verdict { due, held, unexported, busy };
[[nodiscard]] std::string name_of(Verdict verdict);

struct Candidate {
  journal::RunRow row;
  clock::Time ended{};
  bool exported = false;
  std::optional<journal::Hold> hold;
  Verdict verdict = Verdict::due;
  std::uint64_t size_bytes = 0;  // what its folder takes on the disk
};

struct Rule {
  clock::Time ended_before;
  bool unexported = false;  // remove runs whose evidence was never exported too
  std::string tenant = {};  // empty: all
};

// Runs that ended before the rule's time, oldest first. Runs that have not ended never appear.
[[nodiscard]] std::vector<Candidate> find_due(const journal::Journal& journal, const Rule& rule);
// Whether the evidence of the run's last attempt was exported, by the journal's word.
[[nodiscard]] bool is_exported(const journal::Journal& journal, const journal::RunRow& row);
// Takes the run's lock, looks again, removes. The verdict it had at that moment: only `due` was removed.
Verdict remove(journal::Journal& journal, const Candidate& candidate, const Rule& rule, const journal::Removal& removal,
               clock::Time now);

}  // namespace stella::retention
