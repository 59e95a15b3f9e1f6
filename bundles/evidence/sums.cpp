// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/sums.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/fault/error.hpp"

namespace stella::evidence {
namespace {

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > 200) return false;
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  });
  if (!plain) return false;
  for (std::size_t from = 0; from <= path.size();) {
    const auto slash = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, slash - from);
    if (part.empty() || part == "." || part == "..") return false;
    from = slash + 1;
  }
  return true;
}

}  // namespace

std::string format_sums(const Sums& sums) {
  std::string text;
  for (const auto& [path, digest] : sums) text += fmt::format("{}  {}\n", digest.hex(), path);
  return text;
}

Sums parse_sums(std::string_view text, const std::string& name) {
  Sums sums;
  std::size_t number = 0;
  std::string last;
  while (!text.empty()) {
    const std::string at = fmt::format("{}:{}", name, ++number);
    const auto end = text.find('\n');
    const fault::Error bad(fault::Code::evidence_tampered, "list",
                           fmt::format("line {} of {} is not `<64 hex>  <path>` in order", number, name), at);
    if (end == std::string_view::npos || end < 67) throw bad;
    const std::string_view line = text.substr(0, end);
    const std::string path(line.substr(66));
    if (line.substr(64, 2) != "  " || !is_safe_path(path) || path <= last) throw bad;
    try {
      sums.emplace(path, canon::parse_hex_digest(line.substr(0, 64), fault::Code::evidence_tampered, at));
    } catch (const fault::Error&) {
      throw bad;
    }
    last = path;
    text.remove_prefix(end + 1);
  }
  return sums;
}

}  // namespace stella::evidence
