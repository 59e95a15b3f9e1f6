// SPDX-License-Identifier: Apache-2.0
// What the verbs of an approver's desk share: opening a request under trusted admin keys, and checking a key against
// it.
#pragma once

#include <string>

#include "appliance/cli/command.hpp"
#include "bundles/approval/request.hpp"
#include "bundles/approval/roster.hpp"

namespace stella::cli {

// FILE, or the only REQ-*.json of a folder or medium; ERR_USAGE reason `request` names the candidates.
[[nodiscard]] std::string find_request_file(const std::string& path);

// Verified from the admin keys down (--trust, else those pinned in the home), and not older than what this desk has
// seen.
[[nodiscard]] approval::Request open_request(Invocation& inv, const std::string& path);

// The approver that holds this key. ERR_APPROVAL_ROSTER; ERR_KEY_UNUSABLE reason `unprotected` for a key without
// passphrase that the policy does not let sign so.
[[nodiscard]] approval::Voter require_key(const trust::LoadedKey& key, const approval::Request& request);

}  // namespace stella::cli
