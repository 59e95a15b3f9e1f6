// SPDX-License-Identifier: Apache-2.0
// What the alerts need beyond the journal: the mirror's age, the disk and its reserve, stella and its process. One
// thread. A part that cannot be read leaves its metrics out and stella_part_readable{part} at 0.
#pragma once

#include <vector>

#include "appliance/telemetry/exposition.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/files/home.hpp"

namespace stella::telemetry {

[[nodiscard]] std::vector<Family> home_families(const files::Home& home, clock::Time now);
[[nodiscard]] std::vector<Family> process_families();  // of this process, from /proc
[[nodiscard]] Family build_family();

}  // namespace stella::telemetry
