// SPDX-License-Identifier: Apache-2.0
// The sealed bags of one run, by the word of its events: each attempt that ended has one of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "appliance/journal/journal.hpp"

namespace stella::journal {

inline constexpr std::string_view kArtifactsRemoved = "pack.artifacts.removed";  // the event

struct SealedBag {
  std::string name;  // of its folder below evidence/
  std::string list;  // digest of its list
  int attempt = 1;
  bool exported = false;
  bool gone = false;  // removed with the artifacts, exported or given up
};

// Takes a run's events in their order.
class SealedBags {
 public:
  void take(const Event& event);

  // Oldest first.
  [[nodiscard]] const std::vector<SealedBag>& all() const { return bags_; }
  // The bag of that attempt; nullptr: it was not sealed.
  [[nodiscard]] const SealedBag* of(int attempt) const;
  // Whether a bag that lies here would be lost with the home.
  [[nodiscard]] bool has_unexported() const;
  // Whether that attempt's bag was exported, and no earlier one lies here that was not.
  [[nodiscard]] bool is_exported(int attempt) const;

 private:
  std::vector<SealedBag> bags_;
};

// Reads the run's events from the first. ERR_JOURNAL_TAMPERED as for_each_event.
[[nodiscard]] SealedBags sealed_bags_of(const Journal& journal, const RunRow& row);

}  // namespace stella::journal
