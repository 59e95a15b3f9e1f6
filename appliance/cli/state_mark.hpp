// SPDX-License-Identifier: Apache-2.0
// How states and spans of time look in tables and trees: a shape, the word, and colour where there is any, so that no
// sign stands alone. Pure.
#pragma once

#include <string>

#include "appliance/cli/output.hpp"
#include "bundles/clock/time.hpp"

namespace stella::cli {

// One column wide: ✓ ✗ ▶ ◇ ‖ ○ ...; `?` for a state nobody knows.
[[nodiscard]] std::string shape_of(const std::string& state);
// `text` in the colour of the state.
[[nodiscard]] std::string in_colour_of(const Output& out, const std::string& state, const std::string& text);
[[nodiscard]] std::string marked(const Output& out, const std::string& state);  // `✓ succeeded`
// The largest unit only: `45 s`, `3 m`, `2 h`, `5 d`.
[[nodiscard]] std::string age_text(clock::Duration age);
// Below ten seconds with a tenth: `0.4 s`; then as clock::format_duration.
[[nodiscard]] std::string span_text(clock::Duration span);

}  // namespace stella::cli
