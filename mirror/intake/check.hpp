// SPDX-License-Identifier: Apache-2.0
// Whether the registry still is what was pulled: the metadata again from the pinned root on, and every blob. Time plays
// no part: what was fresh when it came is still what it was. Any thread; readers need no lock.
#pragma once

#include <string>
#include <vector>

#include "bundles/files/home.hpp"
#include "bundles/site/policy.hpp"
#include "mirror/blobs/store.hpp"

namespace stella::intake {

enum class Depth { sizes, bytes };
struct Finding {
  std::string name_version, digest, what;
};
struct CheckResult {
  std::uint64_t packs = 0, blobs = 0, bytes = 0;
  std::vector<Finding> findings;
};
// Throws ERR_MIRROR_* when the metadata itself does not verify.
[[nodiscard]] CheckResult check_registry(const files::Home& home, const site::Policy* policy, Depth depth);

}  // namespace stella::intake
