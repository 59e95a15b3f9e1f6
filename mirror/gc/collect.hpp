// SPDX-License-Identifier: Apache-2.0
// Frees what the registry no longer needs. Kept are the packs of the two newest generations that were held and those
// promoted to a channel of this home; blobs that none of them names go, and so do leftovers in staging/. Marking and
// sweeping happen under the registry's lock, rows before files, so that an interruption only leaves work to do again.
// Runs have their own copy of their pack. Errors: ERR_MIRROR_BUSY.
#pragma once

#include <string>
#include <vector>

#include "bundles/files/home.hpp"

namespace stella::gc {

enum class Mode { plan, sweep };
struct Collected {
  std::vector<std::string> packs;  // NAME:VERSION
  std::uint64_t blobs = 0, bytes = 0, staged = 0;
};
Collected collect(const files::Home& home, Mode mode);

}  // namespace stella::gc
