// SPDX-License-Identifier: Apache-2.0
// The /etc of a step: made here, nothing of the host's. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "appliance/sandbox/blueprint.hpp"

namespace stella::sandbox {

// passwd, group, hosts (with the allowed names), resolv.conf, nsswitch.conf, hostname, protocols, services.
[[nodiscard]] std::vector<TextFile> etc_files(std::uint32_t user, const std::vector<Endpoint>& allowed);

}  // namespace stella::sandbox
