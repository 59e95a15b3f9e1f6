// SPDX-License-Identifier: Apache-2.0
// What `doctor` finds, for other verbs that hand it on. One thread.
#pragma once

#include "appliance/cli/command.hpp"

namespace stella::cli {

// {fit, findings [{what, health: ok | warning | bad, says}]}
[[nodiscard]] canon::Json doctor_report(Invocation& call);

}  // namespace stella::cli
