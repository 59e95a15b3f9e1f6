// SPDX-License-Identifier: Apache-2.0
// By what somebody asks for a run who does not sit here: a token of `stella serve`, the socket of a service home.
#pragma once

#include <string>

#include "appliance/cli/command.hpp"
#include "bundles/canon/json.hpp"

namespace stella::cli {

// How serve hands on which token asks; a person leaves it out.
inline const Option kViaOption{.name = "--via", .value = "TOKEN", .help = "for serve", .hidden = true};

// What goes into the journal as `via` (journal/via.hpp); null for whoever types. ERR_ACCESS_DENIED reason `token` for
// an id that this home does not know.
[[nodiscard]] canon::Json via_here(Invocation& call, const std::string& tenant);

}  // namespace stella::cli
