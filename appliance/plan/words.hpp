// SPDX-License-Identifier: Apache-2.0
// Filling in, at plan time, what only the inputs decide. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "appliance/plan/plan.hpp"

namespace stella::plan {

// The text with its holes filled when they read nothing but inputs; else the template itself, open. ERR_PACK_INPUTS,
// reason `nul` or `size`, for a value that no argument can hold.
[[nodiscard]] Word fill(const std::string& text, const canon::Json& inputs, const std::string& at);
// What the expression says when it reads nothing but inputs; nullopt when only the run can tell.
[[nodiscard]] std::optional<bool> decide(const std::string& expression, const canon::Json& inputs,
                                         const std::string& at);

inline constexpr std::size_t kMaxWord = 131071;  // bytes; Linux's MAX_ARG_STRLEN less its NUL

}  // namespace stella::plan
