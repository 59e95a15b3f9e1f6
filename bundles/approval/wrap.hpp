// SPDX-License-Identifier: Apache-2.0
// Lines of a text that is 80 columns wide whatever goes into it. One writer, one thread.
#pragma once

#include <string>
#include <string_view>

#include "bundles/canon/digest.hpp"

namespace stella::approval {

class Page {
 public:
  static constexpr std::size_t kWidth = 80, kLabel = 9;
  void rule(char of);
  void heading(std::string_view text);
  // `label` in the first nine columns, `text` escaped and wrapped at spaces, else within words; nothing is left out.
  void field(std::string_view label, std::string_view text);
  void line(std::string_view text, std::size_t indent = 2);  // escaped and wrapped, further lines indented by two more
  // A digest on one line: `label` in nine columns, or on a line of its own when it is longer.
  void digest(std::string_view label, const canon::Digest& digest);
  void gap();
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void wrapped(std::string first, std::size_t indent, std::string_view text);
  std::string text_;
};

}  // namespace stella::approval
