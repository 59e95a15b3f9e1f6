// SPDX-License-Identifier: Apache-2.0
// What people are told about going on with a run: what is reused, what runs again and why, and what a step had left
// whose runner ended. One thread.
#pragma once

#include "appliance/cli/command.hpp"
#include "appliance/run/resume.hpp"

namespace stella::cli {

// All rows, or without those that are only next and with a long list cut (saying so).
enum class Rows { all, told };

// {newAttempt, newPlan, steps [{step, what, why}], inFlight [{step, printed, changed, withheld}]}
[[nodiscard]] canon::Json prospect_json(const run::Prospect& prospect);
void say_prospect(Output& out, const run::Record& record, const run::Prospect& prospect, Rows rows);

}  // namespace stella::cli
