// SPDX-License-Identifier: Apache-2.0
// The document stella.plan.v1 from its parts: the only writer of plans. Reading back is plan::parse. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/plan/plan.hpp"

namespace stella::plan {

struct Parts {
  const Sources& sources;
  const network::Decisions& decisions;
  const std::vector<Step>& steps;
};
[[nodiscard]] std::string written(const Parts& parts);  // RFC 8785 bytes

}  // namespace stella::plan
