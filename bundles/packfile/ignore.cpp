// SPDX-License-Identifier: Apache-2.0
#include "bundles/packfile/ignore.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "bundles/fault/error.hpp"

namespace stella::packfile {

IgnoreRules IgnoreRules::parse(std::string_view text) {
  IgnoreRules rules;
  rules.rules_ = {{".packignore", true, false}, {".git", false, false}, {"*.pack", true, false}};
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::string at = fmt::format(".packignore:{}", number);
    if (line.front() == '!') throw fault::Error(fault::Code::pack_invalid, "ignore", "`!` patterns are not read", at);
    if (line.size() > 1000 || rules.rules_.size() > 1000) {
      throw fault::Error(fault::Code::pack_invalid, "ignore", "the file holds too much", at);
    }
    const bool folders_only = line.back() == '/';
    if (folders_only) line.remove_suffix(1);
    const bool anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) throw fault::Error(fault::Code::pack_invalid, "ignore", "this pattern leaves everything out", at);
    rules.rules_.push_back({std::string(line), anchored, folders_only});
  }
  return rules;
}

bool IgnoreRules::matches(std::string_view path, bool is_folder) const {
  const std::string whole(path), name(path.substr(path.rfind('/') + 1));
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    if (rule.folders_only && !is_folder) return false;
    return ::fnmatch(rule.pattern.c_str(), (rule.anchored ? whole : name).c_str(), FNM_PATHNAME) == 0;
  });
}

bool IgnoreRules::leaves_out(const std::string& path, bool is_folder) const {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (matches(std::string_view(path).substr(0, slash), true)) return true;
  }
  return matches(path, is_folder);
}

}  // namespace stella::packfile
