// SPDX-License-Identifier: Apache-2.0
// How a run is told to stop: a signal to its runner, or a cancel request that another process leaves in its folder.
// The signal flag is one for the process; everything else belongs to one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "bundles/canon/json.hpp"

namespace stella::run {

enum class Stop { none, interrupted, cancelled };

struct CancelRequest {
  std::string by, reason;
  canon::Json via = {};                    // journal/via.hpp
  std::chrono::milliseconds grace{30000};  // between SIGTERM and SIGKILL of the steps that run
};

// From now on SIGINT, SIGTERM and SIGHUP only set the flag.
void catch_signals();
// For tests: forgets a signal that came.
void forget_signals();
[[nodiscard]] bool is_signalled();
[[nodiscard]] Stop asked_to_stop(const std::string& folder);

void request_cancel(const std::string& folder, const CancelRequest& request);
[[nodiscard]] std::optional<CancelRequest> find_cancel(const std::string& folder);
void forget_cancel(const std::string& folder);

}  // namespace stella::run
