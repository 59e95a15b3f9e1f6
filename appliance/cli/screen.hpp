// SPDX-License-Identifier: Apache-2.0
// A few lines at the bottom of a terminal that are redrawn in place, with ordinary lines scrolling above them. Only
// what changed is written; the cursor stays visible and rests below the block, so that whatever ends the process leaves
// a usable terminal. Not for several threads at once.
//
// Escapes used: CR, CUU, EL, ED. No alternate screen, no saved cursor, no scroll regions.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stella::cli {

struct Size {
  std::size_t rows = 24, columns = 80;
};

// Columns that `text` takes; East Asian wide characters take two, combining ones none, SGR escapes none.
[[nodiscard]] std::size_t columns_of(std::string_view text);
// The longest start of `text` that fits, ending in … when something was cut; tabs become spaces. Escapes are kept whole
// and a colour that was begun is ended.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t columns);

class Screen {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit Screen(Sink sink) : sink_(std::move(sink)) {}
  // Replaces the block. A line that is wider than the terminal is cut, lines that do not fit its height are left out.
  void draw(const std::vector<std::string>& lines, Size size);
  // Whole lines above the block, as they are: a wide one is broken by the terminal.
  void scroll(const std::vector<std::string>& lines);
  void clear();  // takes the block away

 private:
  void erase(std::string& out);
  Sink sink_;
  std::vector<std::string> shown_;
  Size size_;
};

}  // namespace stella::cli
