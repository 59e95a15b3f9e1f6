// SPDX-License-Identifier: Apache-2.0
// What the appliance signs about a removal: a DSSE envelope with an in-toto Statement of type urn:stella:removal:v1 in
// runs/removals/, one file a removal (docs/formats/removals.md). One thread.
//
// Subjects: the run (SHA-256 hex of its journal's last line then) and `record` (SHA-256 of the recorded line).
// Predicate: {stage: run | artifacts, record: the recorded line as an object, appliance}. The record of a whole run
// names the one before it (`prev`), so the last statement vouches for all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "appliance/journal/bags.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/site/policy.hpp"

namespace stella::retention {

inline constexpr std::string_view kRemovalType = "urn:stella:removal:v1";
using journal::kArtifactsRemoved;

// Both are durable when they return, and write the same bytes again.
void sign_removal(const files::Home& home, const site::Identity& identity, const journal::Pruned& pruned);
void sign_removal(const files::Home& home, const site::Identity& identity, const journal::RunRow& row,
                  const std::string& line);
// Whether the removal of this attempt's artifacts was signed.
[[nodiscard]] bool has_statement(const files::Home& home, const journal::RunRow& row);
// Signs the recorded removals of whole runs that a crash left unsigned; how many.
std::size_t sign_unsigned(const files::Home& home, const journal::Journal& journal);

// The removals of whole runs with the state of their statements. ERR_JOURNAL_TAMPERED when the chain is broken.
enum class Signed { good, missing, bad };
struct Removed {
  journal::Pruned record;
  Signed statement = Signed::missing;
  std::string file;
};
[[nodiscard]] std::vector<Removed> removals(const files::Home& home, const journal::Journal& journal,
                                            const std::vector<trust::PublicKey>& keys);

}  // namespace stella::retention
