// SPDX-License-Identifier: Apache-2.0
// The command line of an operator in front of a service: sends what was typed, opens the files it names with its own
// rights, passes signals on, and ends as the service's process ended. One thread.
#pragma once

#include <string>
#include <vector>

namespace stella::service {

// The exit status. A process of the service that was killed by a signal that was passed on kills this one in the same
// way. ERR_ACCESS_DENIED; ERR_SERVE_BUSY, reasons `unreachable`, `busy`, `gone` (it ended meanwhile),
// `killed`.
[[nodiscard]] int forward(const std::string& socket, const std::vector<std::string>& arguments);

}  // namespace stella::service
