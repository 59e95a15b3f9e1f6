// SPDX-License-Identifier: Apache-2.0
// What a step's process gives up and is held to. Child side; async-signal-safe; false with errno.
// Limits are resource limits of the kernel (`advisory`); control groups come later.
#pragma once

#include <string_view>

namespace stella::sandbox {

inline constexpr std::string_view kLimitsKind = "advisory";

[[nodiscard]] bool set_limits(unsigned max_processes) noexcept;
// Default handlers, nothing blocked: a runner that ignores SIGPIPE must not hand that down.
void reset_signals() noexcept;
// No capability in any set, none to be had again, no_new_privs.
[[nodiscard]] bool drop_privileges() noexcept;

}  // namespace stella::sandbox
