// SPDX-License-Identifier: Apache-2.0
// Puts a chaos hook into a run, from any process: one durable event, which the run's own process finds within a fifth
// of a second and which a runner that starts later finds in the journal. One thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/chaos/injection.hpp"
#include "appliance/journal/journal.hpp"
#include "bundles/site/policy.hpp"

namespace stella::chaos {

struct Wish {
  Hook hook = Hook::pause;
  clock::Duration span = kDefaultSpan;
  std::string step = {};  // empty: the whole run
  std::string by = {};    // the operator
};

// ERR_USAGE reason `chaos` unless the applied policy (null: none) says `chaos: {allow: true}`; ERR_SITE_FROZEN.
void require_allowed(const site::Policy* policy, clock::Time now);
// ERR_USAGE reason `step`, with the nearest spelling, when `known` (step ids) has no such step.
void require_step(const std::string& step, const std::vector<std::string>& known);
// ERR_RUN_NOT_FOUND; ERR_USAGE reason `state` when the run has ended: nothing is recorded then.
Injection inject(journal::Journal& journal, const std::string& run, const Wish& wish, clock::Time now);

}  // namespace stella::chaos
