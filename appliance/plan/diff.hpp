// SPDX-License-Identifier: Apache-2.0
// What changed from one plan to another, field by field. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::plan {

// place: `inputs.cell`, `steps[flash].timeout`. before absent: added; after absent: removed.
struct Change {
  std::string place;
  std::optional<canon::Json> before, after;
};
// Items of lists are matched by their id, name or host, others by their whole value. In the order of the members'
// names.
[[nodiscard]] std::vector<Change> diff(const canon::Json& before, const canon::Json& after);

}  // namespace stella::plan
