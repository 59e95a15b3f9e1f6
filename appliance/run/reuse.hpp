// SPDX-License-Identifier: Apache-2.0
// Which finished steps a new attempt takes over. One thread.
//
// A step is taken over when it is done, its node of the plan has the same digest, what it needs and the groups around
// it are taken over too, and the artifacts that it left lie beneath /artifacts as it left them. The run's inputs are
// its own copies; load_record() compares them with the plan.
#pragma once

#include <map>
#include <set>
#include <string>

#include "appliance/run/record.hpp"

namespace stella::run {

// Step -> what is wrong with an artifact of it, in words; of several steps that left the same file, the last one
// counts. ERR_ARTIFACT_STORE reason `gone` when there should be artifacts and the folder itself is missing.
[[nodiscard]] std::map<std::string, std::string> altered_artifacts(const Record& record);

// `steps`: under the plan of the new attempt.
[[nodiscard]] std::set<std::string> reusable(const Progress& progress, const Steps& steps,
                                             const std::map<std::string, std::string>& altered);

}  // namespace stella::run
