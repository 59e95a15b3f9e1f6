// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/wrap.hpp"

#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    if (!continues(c)) ++count;
  return count;
}

// Bytes of the longest beginning that is `width` columns wide at most and ends between characters.
std::size_t bytes_within(std::string_view text, std::size_t width) {
  std::size_t used = 0, end = 0;
  while (end < text.size()) {
    if (!continues(text[end]) && used++ == width) break;
    ++end;
  }
  return end;
}

}  // namespace

void Page::rule(char of) {
  text_ += std::string(kWidth, of) + "\n";
}
void Page::gap() {
  text_ += "\n";
}
void Page::heading(std::string_view text) {
  gap();
  text_ += std::string(text) + "\n";
}

void Page::wrapped(std::string first, std::size_t indent, std::string_view text) {
  const std::string safe = canon::printable(text, text.size());
  std::string_view rest = safe;
  std::string line = std::move(first);
  for (;;) {
    std::size_t end = bytes_within(rest, kWidth - columns(line));
    if (end < rest.size()) {
      const std::size_t space = rest.substr(0, end + 1).rfind(' ');
      if (space != std::string_view::npos && space > 0) end = space;
    }
    text_ += line + std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(end);
    if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty()) return;
    line = std::string(indent, ' ');
  }
}

void Page::field(std::string_view label, std::string_view text) {
  std::string first(label);
  first.resize(kLabel, ' ');
  wrapped(std::move(first), kLabel, text);
}

void Page::digest(std::string_view label, const canon::Digest& digest) {
  std::string first(label);
  if (first.size() >= kLabel) {
    text_ += first + "\n";
    first.clear();
  }
  first.resize(kLabel, ' ');
  text_ += first + digest.tagged() + "\n";
}

void Page::line(std::string_view text, std::size_t indent) {
  wrapped(std::string(indent, ' '), indent + 2, text);
}

}  // namespace stella::approval
