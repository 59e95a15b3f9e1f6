// SPDX-License-Identifier: Apache-2.0
// Reads back the steps of a plan document; the whole is parse(). Pure; any thread.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "appliance/plan/plan.hpp"

namespace stella::plan {

using Gates = std::unordered_map<std::string, Gate>;  // by id, those of templates with `[*]`
struct Reading {
  fault::Code code;
  const std::string& at;
  const Gates& gates;
};
// Strict: groups stand before their members, steps before those of their list that need them, ids say the turn.
[[nodiscard]] std::vector<Step> parse_steps(const canon::Json& nodes, const Reading& reading);
[[nodiscard]] Secret parse_secret(const canon::Json& node, fault::Code code, const std::string& at);
[[nodiscard]] Endpoint parse_endpoint(const canon::Json& node, fault::Code code, const std::string& at);

}  // namespace stella::plan
