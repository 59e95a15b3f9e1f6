// SPDX-License-Identifier: Apache-2.0
// What expressions see of a run. One thread, the run's.
#pragma once

#include <string>
#include <vector>

#include "appliance/run/live.hpp"

namespace stella::run {

[[nodiscard]] bool holds_at(Live& live, const std::string& expression, const plan::Step& at);
[[nodiscard]] plan::Resolved resolve_at(Live& live, const plan::Step& step);
// What a dynamic map or loop goes over.
[[nodiscard]] canon::Json items_at(Live& live, const plan::Step& group);

}  // namespace stella::run
