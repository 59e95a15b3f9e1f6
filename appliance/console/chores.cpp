// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/serve.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/site/clock_mark.hpp"

namespace stella::console {

std::vector<Chore> chores(const files::Home& home, const clock::Clock& clock) {
  return {
      // Gates that ran out; while the clock is suspicious nothing is due.
      {"expiry", std::chrono::seconds(10),
       [home, &clock] { (void)run::open_journal(home, site::observe_clock(home, clock.now())); }},
  };
}

}  // namespace stella::console
