// SPDX-License-Identifier: Apache-2.0
// What is large in a run's folder, and its removal. Links are never followed. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace stella::retention {

// Bytes of regular files; what cannot be read counts nothing.
[[nodiscard]] std::uint64_t size_of_run(const std::string& folder);
[[nodiscard]] std::uint64_t size_of_large(const std::string& folder);  // of work/, artifacts/, pack/, evidence/
// Empties work/ and artifacts/, which a new attempt fills again, and removes pack/ and the bags.
void remove_large(const std::string& folder);

}  // namespace stella::retention
