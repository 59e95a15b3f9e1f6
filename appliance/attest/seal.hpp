// SPDX-License-Identifier: Apache-2.0
// Turns a finished run into evidence: the SLSA provenance of the run and the signed bag (contract section 11). One
// thread; a file lock keeps the numbers of an appliance's bags in order across processes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/files/home.hpp"
#include "bundles/packfile/bundle.hpp"
#include "bundles/site/policy.hpp"

namespace stella::attest {

// An event with its line and, of its data, only what seal() reads: 20,000 whole ones would take 60 MiB.
[[nodiscard]] journal::Event kept_of(const journal::Event& event);

struct Facts {
  const files::Home& home;
  const journal::RunRow& row;              // state is terminal
  std::span<const journal::Event> events;  // all, the terminal one last: what the bag's journal.jsonl holds
  const plan::Plan& plan;
  const site::Applied& planned_under;
  const packfile::Opened& pack;  // its signatures go with the bag
};
struct Sealed {
  std::string folder;  // runs/<run>/evidence/<bag>
  std::int64_t number;
  std::string list;  // sha256:HEX of SHA256SUMS
};

// Writes the bag once: when it stands already (a crash after the rename) it is taken as it is. ERR_KEY_UNUSABLE reason
// identity; ERR_ARTIFACT_STORE when the disk refuses.
[[nodiscard]] Sealed seal(const Facts& facts);

// The number and list digest of the last bag of this appliance; number 0 when there is none: for ledger anchors.
struct Last {
  std::int64_t number = 0;
  std::string list;
};
[[nodiscard]] Last last_bag(const files::Home& home);

}  // namespace stella::attest
