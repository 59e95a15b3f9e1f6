// SPDX-License-Identifier: Apache-2.0
// One run as the metrics see it: how far its events were read, and what is open in it. Small once the run has ended.
// One thread.
#pragma once

#include <map>
#include <string>

#include "appliance/journal/bags.hpp"
#include "appliance/telemetry/totals.hpp"

namespace stella::telemetry {

struct Reading {
  std::string tenant;
  std::string state = {};  // of its row
  int attempt = 1;
  std::int64_t last_seq = 0;
  clock::Time ended{};  // of the last attempt; 1970: it has not
  journal::SealedBags bags = {};
  struct Open {
    clock::Time since{};
    std::string type;
  };
  std::map<std::string, Open> steps = {};           // that run
  std::map<std::string, clock::Time> waiting = {};  // gates, by their id in the plan
};

// Takes the run's next event: `totals` grows, `reading` moves on.
void take(Reading& reading, const journal::Event& event, Totals& totals);

// `flash[0]::review` is the gate `review` of its pack, whichever turn it stands in.
[[nodiscard]] std::string gate_name(const std::string& id);
[[nodiscard]] bool is_step_type(const std::string& name);

}  // namespace stella::telemetry
