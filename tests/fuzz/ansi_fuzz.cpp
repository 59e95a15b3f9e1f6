// SPDX-License-Identifier: Apache-2.0
// A line that a step printed, on its way to the console: whatever it is, what comes out is text and spans with classes
// of ours, in a size that the line's bounds, and nothing of it obeys.
#include <algorithm>
#include <array>
#include <string>

#include "appliance/page/ansi.hpp"
#include "bundles/canon/fields.hpp"
#include "tests/fuzz/entry.hpp"

namespace {

using namespace stella;

constexpr std::string_view kOpen = "<span class=\"", kClose = "</span>";

void require_class(std::string_view name) {
  constexpr std::array kWords = {"bold", "dim", "slant", "under", "struck", "inverse", "more"};
  if (std::find(kWords.begin(), kWords.end(), name) != kWords.end()) return;
  fuzz::require(name.size() >= 2 && name.size() <= 3 && (name[0] == 'f' || name[0] == 'k'));
  int number = 0;
  for (const char c : name.substr(1)) {
    fuzz::require(c >= '0' && c <= '9');
    number = number * 10 + (c - '0');
  }
  fuzz::require(number < 16);
}

void require_classes(std::string_view names) {
  for (;;) {
    const std::size_t end = std::min(names.find(' '), names.size());
    require_class(names.substr(0, end));
    if (end == names.size()) return;
    names.remove_prefix(end + 1);
  }
}

// Text, and spans that hold nothing but text.
void require_spans(std::string_view html) {
  bool is_open = false;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<')) {
    fuzz::require(html.substr(0, at).find_first_of(">\"'") == std::string_view::npos);
    html.remove_prefix(at);
    if (is_open) {
      fuzz::require(html.starts_with(kClose));
      html.remove_prefix(kClose.size());
    } else {
      fuzz::require(html.starts_with(kOpen));
      html.remove_prefix(kOpen.size());
      const std::size_t end = html.find("\">");
      fuzz::require(end != std::string_view::npos);
      require_classes(html.substr(0, end));
      html.remove_prefix(end + 2);
    }
    is_open = !is_open;
  }
  fuzz::require(!is_open && html.find_first_of(">\"'") == std::string_view::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = fuzz::text_of(data, size);
  const std::string html = page::ansi_line(line).bytes();
  require_spans(html);
  fuzz::require(canon::is_utf8(html));
  fuzz::require(
      std::ranges::none_of(html, [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7F; }));
  fuzz::require(html.size() <= 64 * std::min(size, page::kMaxShownLine) + 200);
  // What is plain is shown as it is, to its end.
  const bool is_plain = std::ranges::all_of(line, [](char c) { return c >= 'a' && c <= 'z'; });
  if (is_plain && size <= page::kMaxShownLine) fuzz::require(html == line);
  fuzz::require(page::ansi_line(line, 7).bytes().ends_with("more bytes</span>"));
  return 0;
}
