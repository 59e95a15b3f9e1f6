// SPDX-License-Identifier: Apache-2.0
// A chaos hook in a run: what the journal's pack.chaos.injected says, and when it is in force. It pauses the run, cuts
// the network that a step was allowed, or holds approvals back; no hook opens, allows or hides anything. Pure; any
// thread. Formats: docs/formats/journal.md; what an operator does with it: docs/operations/chaos.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bundles/canon/json.hpp"
#include "bundles/clock/time.hpp"

namespace stella::chaos {

inline constexpr const char* kEvent = "pack.chaos.injected";
inline constexpr clock::Duration kDefaultSpan = std::chrono::seconds(30), kLongestSpan = std::chrono::hours(1);

enum class Hook { pause, drop_network, delay_approvals };
[[nodiscard]] std::string_view name_of(Hook hook);
[[nodiscard]] Hook parse_hook(const std::string& text);             // ERR_USAGE reason `hook`
[[nodiscard]] clock::Duration parse_span(const std::string& text);  // 1s to 1h; ERR_USAGE reason `duration`

struct Injection {
  Hook hook = Hook::pause;
  clock::Duration span = kDefaultSpan;
  std::string step = {}, by = {};  // step empty: the whole run
  clock::Time at{}, until{};
  std::int64_t seq = 0;
  bool is_spent = false;  // a pause that has paused the run
};

// {hook, forMs, step?, by, until}
[[nodiscard]] canon::Json data_of(const Injection& injection);
// Of a line of our own journal; ERR_JOURNAL_TAMPERED reason `chaos` when it says what no inject() wrote.
[[nodiscard]] Injection parse_injection(const canon::Json& data, std::int64_t seq, clock::Time at,
                                        const std::string& run);

// Whether it is in force at `now`. A clock that went back to before it makes no outage longer: then it is not.
[[nodiscard]] bool is_active(const Injection& injection, clock::Time now);

}  // namespace stella::chaos
