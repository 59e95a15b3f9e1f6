// SPDX-License-Identifier: Apache-2.0
// What a step in flight had printed and changed when its runner ended. One thread.
#pragma once

#include "appliance/run/resume.hpp"

namespace stella::run {

// The last 20 lines of its log, and at most 50 files beneath /work and /artifacts that are newer than its start.
[[nodiscard]] Prospect::Left left_by(const Record& record, const std::string& id, const StepProgress& step);

}  // namespace stella::run
