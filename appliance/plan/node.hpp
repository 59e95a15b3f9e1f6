// SPDX-License-Identifier: Apache-2.0
// A step as the plan document has it, and its digest. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "appliance/plan/plan.hpp"

namespace stella::plan {

// {id, kind, needs, class, in?, finally?, branch?, when?, and what the kind has}
[[nodiscard]] canon::Json step_node(const Step& step);
[[nodiscard]] canon::Digest digest_of(const Step& step);

[[nodiscard]] std::string text_of(clock::Duration duration);
[[nodiscard]] canon::Json endpoints(const std::vector<Endpoint>& list);
[[nodiscard]] canon::Json secret(const Secret& secret);

}  // namespace stella::plan
