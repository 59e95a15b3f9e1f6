// SPDX-License-Identifier: Apache-2.0
// Every type of event that a journal may hold: when it is written and what its data says. docs/formats/events.md and
// `stella explain --events` are made from this one table; a test compares it with the types that the sources name. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stella::journal {

struct Member {
  std::string_view name, meaning;
};
struct EventType {
  std::string_view name, when;
  bool of_step = false;  // its line has `step`
  std::vector<Member> data = {};
};

// The member of pack.secret.leased that tells something of a secret: it leaves the appliance in evidence only.
inline constexpr const char* kSecretEnd = "lastFour";

[[nodiscard]] const std::vector<EventType>& event_types();  // in the order of a run's way
[[nodiscard]] std::string events_page();                    // docs/formats/events.md

}  // namespace stella::journal
