// SPDX-License-Identifier: Apache-2.0
// Where a message goes: the part of a policy's rule that says so, without topics, tenants and packs. Two rules with one
// target tell it of the same event once. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bundles/canon/json.hpp"
#include "bundles/site/policy.hpp"

namespace stella::notify {

// RFC 8785: {to, host, port, tls, credential, path | from, recipients}. It is what makes a target this one.
[[nodiscard]] std::string target_of(const site::Notification& rule);
// `slack hooks.example:443`, `email to 2 at mail.example:587`, `spool`: for people.
[[nodiscard]] std::string target_words(const site::Notification& rule);
// The rule of today's policy that has this target; nullptr: no rule has it any more.
[[nodiscard]] const site::Notification* find_target(const site::Policy& policy, const std::string& target);

// The only way out: the pinned addresses of an entry that is marked `for: [stella]`. Names are never looked up.
struct Way {
  std::string host;
  int port = 0;
  std::vector<std::string> addresses;
};
struct Barred {
  std::string reason;  // sealed | not-allowed | no-policy
  std::string what;
};
[[nodiscard]] std::variant<Way, Barred> find_way(const site::Policy& policy, const site::Notification& rule,
                                                 const std::string& pack);

}  // namespace stella::notify
