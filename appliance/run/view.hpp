// SPDX-License-Identifier: Apache-2.0
// What expressions see of a run. One thread, the run's.
#pragma once

#include <string>

#include "appliance/run/live.hpp"

namespace stella::run {

// Asks the run only for what an expression reads. Valid while `live` is, and until its record is read anew.
[[nodiscard]] plan::View view_of(Live& live);

[[nodiscard]] bool holds_at(Live& live, const std::string& expression, const plan::Step& at);
[[nodiscard]] plan::Resolved resolve_at(Live& live, const plan::Step& step);
// What a dynamic map or loop goes over.
[[nodiscard]] canon::Json items_at(Live& live, const plan::Step& group);

}  // namespace stella::run
