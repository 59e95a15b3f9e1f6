// SPDX-License-Identifier: Apache-2.0
// Which names a step may look up and what they are: allowed names are their pinned addresses, every other name gets a
// sink address of its own, by which the later connection is known by name. One step, one thread.
//
// Sinks: 198.18.0.0/15 and 2001:2::/48, the two ranges set aside for bench marking (RFC 2544, RFC 5180), which no site
// uses; the policy's own addresses are left out all the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "appliance/sandbox/dns.hpp"
#include "appliance/sandbox/step.hpp"

namespace stella::sandbox {

class Names {
 public:
  explicit Names(const Spec& spec);

  enum class Kind { allowed, local, unlisted, exhausted };
  struct Found {
    Kind kind;
    Answer answer;
  };
  // exhausted: more than 4,096 unlisted names; those are refused instead of answered.
  [[nodiscard]] Found find(const Question& question);
  // The host an address stands for: a sink's name, or the policy's for a pinned one; empty when there is none.
  [[nodiscard]] std::string host_of(const std::string& address) const;
  // A sink is no address of anything: it does not belong into an event.
  [[nodiscard]] bool is_sink(const std::string& address) const { return sink_names_.contains(address); }
  [[nodiscard]] bool is_allowed(const std::string& address, int port) const {
    return allowed_.contains({address, port});
  }

 private:
  [[nodiscard]] Found find_pointer(const std::string& name);
  [[nodiscard]] const std::vector<std::string>* sink_for(const std::string& name);
  std::map<std::string, std::vector<std::string>> pinned_;  // allowed name -> addresses
  std::map<std::string, std::string> hosts_;                // address of the policy -> name
  std::set<std::pair<std::string, int>> allowed_;
  std::map<std::string, std::vector<std::string>> sinks_;
  std::map<std::string, std::string> sink_names_;
  std::uint32_t next_sink_ = 1;
};

}  // namespace stella::sandbox
