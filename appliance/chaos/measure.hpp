// SPDX-License-Identifier: Apache-2.0
// Numbers of a part of a run, before, during or after a hook, and of runs to compare with. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "appliance/chaos/trace.hpp"

namespace stella::chaos {

struct Window {
  clock::Time from{}, to{};  // from included, to not; empty when they are the same
  [[nodiscard]] clock::Duration length() const { return to > from ? to - from : clock::Duration{}; }
};

struct Spread {
  std::size_t count = 0;
  clock::Duration median{}, greatest{};  // the lower of the two middle ones where the number is even
};
[[nodiscard]] Spread spread_of(std::vector<clock::Duration> lengths);

struct Measures {
  std::map<std::string, std::vector<clock::Duration>> lengths;  // of tries that ended, by the step's type
  std::vector<clock::Duration> gate_waits;
  std::set<std::string> steps;  // ids
  std::int64_t ended = 0, failures = 0, retries = 0, blocked = 0, log_bytes = 0;
  clock::Duration length{};  // of the window, or of all windows that were added up
};

// The three parts of a run around a hook. Hooks that overlap it are part of `during`. A step or a wait that reaches
// into `during` belongs there, whenever it began and ended; what had ended before is `before`, what began later is
// `after`, up to the next hook: what reaches into that one belongs to neither.
struct Parts {
  Window before, during, after;
};
// `injection` is one of the trace's.
[[nodiscard]] Parts parts_around(const Trace& trace, const Injection& injection);

enum class Part { before, during, after };
[[nodiscard]] Measures measure(const Trace& trace, const Parts& parts, Part part);
// A whole run; where `only` is not empty, the steps with these ids.
[[nodiscard]] Measures measure_all(const Trace& trace, const std::set<std::string>& only);
void add(Measures& sum, const Measures& more);

}  // namespace stella::chaos
