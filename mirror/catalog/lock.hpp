// SPDX-License-Identifier: Apache-2.0
// The registry's one writer: flock on mirror/lock, which dies with the process. ERR_MIRROR_BUSY when somebody has it.
#pragma once

#include "bundles/files/fd.hpp"
#include "bundles/files/home.hpp"

namespace stella::catalog {

[[nodiscard]] files::Fd lock_registry(const files::Home& home);  // held as long as the descriptor is open

}  // namespace stella::catalog
