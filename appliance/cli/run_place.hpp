// SPDX-License-Identifier: Apache-2.0
// The place that a run needs before it moves, where the site policy bounds how many runs of its tenant do at once.
#pragma once

#include <optional>
#include <string>

#include "appliance/cli/command.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/journal/place.hpp"

namespace stella::cli {

// Nothing where the applied policy sets no bound. With --wait it waits until one is free or a signal came. ERR_RUN_BUSY
// reason `tenant`; nothing was written.
[[nodiscard]] std::optional<journal::Place> take_place(Invocation& call, const journal::Journal& journal,
                                                       const std::string& tenant);

}  // namespace stella::cli
