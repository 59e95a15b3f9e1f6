// SPDX-License-Identifier: Apache-2.0
// A page that is made once for all who see the same: where their name and their form token belong it has marks, which
// nobody outside this process can know. Any thread.
#pragma once

#include <string>

#include "appliance/page/frame.hpp"

namespace stella::console {

// The frame with marks in place of what is one viewer's own.
[[nodiscard]] page::Frame neutral(page::Frame frame);
// All else of it, as text: two viewers with the same get the same page.
[[nodiscard]] std::string variant_of(const page::Frame& frame);
// The page of a neutral frame as this one's.
[[nodiscard]] std::string personal(std::string page, const page::Frame& frame);

}  // namespace stella::console
