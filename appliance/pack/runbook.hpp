// SPDX-License-Identifier: Apache-2.0
// A pack's runbook: docs/runbook.md, what people on call read. Its template is docs/task-packs/runbook/TEMPLATE.md,
// built into the binary. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "appliance/pack/manifest.hpp"

namespace stella::pack {

inline constexpr std::string_view kRunbookPath = "docs/runbook.md";

// The template with the pack's name and version in it.
[[nodiscard]] std::string runbook_template(const std::string& name, const std::string& version);

// What the runbook lacks, each with file and line and reason `runbook`: the file itself; a heading about purpose,
// inputs and secrets, approval stakeholders, pre-checks, post-checks, rollback; text beneath one of them. A heading
// counts whatever its level, order, and case; one may serve for two ("Pre-checks and post-checks").
[[nodiscard]] std::vector<Problem> check_runbook(const FileReader& read);

}  // namespace stella::pack
