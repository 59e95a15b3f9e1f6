// SPDX-License-Identifier: Apache-2.0
// What `doctor` finds, for other verbs that hand it on. One thread.
#pragma once

#include "appliance/cli/command.hpp"
#include "bundles/clock/time.hpp"

namespace stella::cli {

enum class Health { good, warning, bad };
struct Finding {
  std::string what;
  Health health;
  std::string says;
};
// Whether people can be told of runs; nothing where nobody is to be told (doctor_notify.cpp).
[[nodiscard]] std::vector<Finding> look_at_notifications(const files::Home& home, clock::Time now);

// {fit, findings [{what, health: ok | warning | bad, says}]}
[[nodiscard]] canon::Json doctor_report(Invocation& call);

}  // namespace stella::cli
