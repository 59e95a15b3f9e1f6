// SPDX-License-Identifier: Apache-2.0
// Which hosts a pack may reach: those that it asks for and that the site policy allows it, at the pinned addresses
// only. Pure; any thread. Source: contract section 8.
#pragma once

#include <string>
#include <vector>

#include "appliance/pack/manifest.hpp"
#include "bundles/site/policy.hpp"

namespace stella::network {

struct Endpoint {
  std::string host, address;
  int port = 0;
  auto operator<=>(const Endpoint&) const = default;
};
struct Refused {
  std::string host;
  int port = 0;
  std::string line;
};  // line: what the policy would have to say
struct Decisions {
  std::vector<pack::Ask> asked;   // sorted, without repeats
  std::vector<Endpoint> allowed;  // sorted; one for each pinned address
  std::vector<Refused> refused;
};
// policy null: everything asked for is refused.
[[nodiscard]] Decisions decide(const std::vector<pack::Ask>& asked, const site::Policy* policy,
                               const std::string& pack_name);
// What the policy would allow the pack and the pack did not ask for: only named in messages, never reachable.
[[nodiscard]] std::vector<Endpoint> undeclared(const std::vector<pack::Ask>& asked, const site::Policy* policy,
                                               const std::string& pack_name);
// The entry under `network.allow` that would allow it: for a person to weigh, never added by stella. host empty: the
// address was used literally; address empty: it is not known. Foreign names come out quoted and printable.
[[nodiscard]] std::string policy_line(const std::string& host, const std::string& address, int port);

}  // namespace stella::network
