// SPDX-License-Identifier: Apache-2.0
// A line that a step printed, with its colours as classes. Pure; any thread.
//
// Read are the SGR sequences (ESC [ ... m): bold, faint, italic, underlined, struck, inverse, and the colours; those of
// the 256 and of 24 bits become the nearest of the 16. Every other control sequence is left out, as no terminal is
// there to obey it. Of what a carriage return would have written over, the last is shown. Nothing carries over to the
// next line, as a line may be shown by itself. `more_bytes` of the line were not even read.
// Source: ECMA-48, sections 5.4 and 8.3.117; 38 and 48 as in ITU-T T.416 and xterm.
#pragma once

#include <string_view>

#include "appliance/markup/html.hpp"

namespace stella::page {

inline constexpr std::size_t kMaxShownLine = 4096;  // bytes; what is more is counted

[[nodiscard]] markup::Html ansi_line(std::string_view line, std::size_t more_bytes = 0);

}  // namespace stella::page
