// SPDX-License-Identifier: Apache-2.0
// 00-README.txt of a bag: how to verify it with nothing of ours. Pure.
#pragma once

#include <string>

namespace stella::attest {

[[nodiscard]] std::string readme(const std::string& appliance, const std::string& run);

}  // namespace stella::attest
