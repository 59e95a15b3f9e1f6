// SPDX-License-Identifier: Apache-2.0
// A new run: the pack admitted, planned, compared with the hash that was asked for, its folder made, and only then a
// row in the journal. One thread.
#pragma once

#include <optional>
#include <string>

#include "appliance/admission/admission.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/pack/inputs.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::run {

struct Submission {
  admission::Wanted wanted;
  std::optional<pack::InputsFile> inputs;
  std::string asked_hash;  // --plan-hash, sha256:HEX; empty: none
  std::string tenant;
  canon::Json via = {};  // journal/via.hpp
};
// Gives the row, state `planned`. Nothing is left behind when it throws: ERR_SITE_FROZEN; admission's and plan::make's
// errors; ERR_PACK_HASH_MISMATCH reason `asked`.
[[nodiscard]] journal::RunRow submit(const files::Home& home, journal::Journal& journal, const Submission& submission,
                                     clock::Time now);

// The event that follows: the plan is fixed. Also for a run that was killed between the two.
[[nodiscard]] journal::NewEvent planned_event(const plan::Plan& plan, const site::Policy& policy);

}  // namespace stella::run
