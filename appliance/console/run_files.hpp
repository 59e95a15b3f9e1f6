// SPDX-License-Identifier: Apache-2.0
// A run's files, for pages and programs alike: to be saved, never shown. A worker's thread.
#pragma once

#include <string>

#include "appliance/http/message.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::console {

// One file beneath a folder, without following a link: what a step left is hostile. ERR_FILE_NOT_FOUND reason `file`.
[[nodiscard]] http::Response send_beneath(const std::string& folder, const std::string& path);
[[nodiscard]] http::Response send_artifact(const journal::RunRow& row, const std::string& path);
[[nodiscard]] std::string plan_text(const journal::RunRow& row);  // the hashed bytes

}  // namespace stella::console
