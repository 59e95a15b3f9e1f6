// SPDX-License-Identifier: Apache-2.0
// What only ever grows: sums over all runs that were ever in the journal. Those of a removed run are kept with its
// removal (journal::Removal::totals), so that no counter goes back. One thread.
//
// Names come from packs: at most kMaxNames gates and tenants are told apart, later ones are added up as `other`.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "appliance/journal/journal.hpp"
#include "appliance/telemetry/histogram.hpp"

namespace stella::telemetry {

inline constexpr std::size_t kMaxNames = 10000;
inline constexpr std::string_view kOther = "other";
inline constexpr std::array<std::string_view, 4> kEnds = {"succeeded", "failed", "cancelled", "expired"};

struct Waits {
  clock::Time first{};  // when the first of these gates began to wait
  Histogram waited{gate_bounds()};
  bool operator==(const Waits&) const = default;
};
struct Counts {
  clock::Time first{};  // of the tenant's first event
  std::array<std::int64_t, kEnds.size()> ended{};
  std::int64_t retries = 0, blocked = 0, chaos = 0;
  bool operator==(const Counts&) const = default;
};

struct Totals {
  std::map<std::string, Histogram> steps = {};  // by type
  std::map<std::string, Waits> gates = {};      // by the gate's name in its pack
  std::map<std::string, Counts> tenants = {};
  bool operator==(const Totals&) const = default;

  void add(const Totals& other);
  Histogram& step(const std::string& type);
  Waits& gate(const std::string& name, clock::Time at);
  Counts& tenant(const std::string& name, clock::Time at);
  [[nodiscard]] canon::Json to_json() const;
  static Totals from_json(const canon::Json& object);  // ERR_JOURNAL_TAMPERED, reason `totals`
};

// What of a run has to be kept when it is removed; give it to journal::Removal::totals.
[[nodiscard]] canon::Json totals_of(const journal::Journal& journal, const journal::RunRow& run);

}  // namespace stella::telemetry
