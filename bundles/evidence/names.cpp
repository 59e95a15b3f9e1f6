// SPDX-License-Identifier: Apache-2.0
#include "bundles/evidence/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::evidence {
namespace {

constexpr std::size_t kMaxPart = 100, kMaxPath = 200;

std::string folded(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Opening a folder with one of these makes a Windows viewer fetch an icon or run something.
bool calls_out(const std::string& lower) {
  static constexpr std::array<std::string_view, 8> kEndings{
      ".lnk", ".url", ".scf", ".library-ms", ".searchconnector-ms", ".desktop", ".inf", "desktop.ini"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

bool is_device(const std::string& lower) {
  const std::string stem = lower.substr(0, lower.find('.'));
  if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) &&
         std::isdigit(static_cast<unsigned char>(stem[3]));
}

std::string safe_part(const std::string& part) {
  std::string safe;
  for (const char c : part) safe += is_plain(c) ? c : '_';
  if (safe.empty()) safe = "_";
  if (safe.front() == '.' || safe.front() == '-') safe.insert(0, "_");
  while (safe.back() == '.') safe.back() = '_';
  if (is_device(folded(safe))) safe.insert(0, "_");
  if (calls_out(folded(safe))) safe += "_";
  return safe;
}

std::string safe_path(const std::string& original) {
  std::string path;
  for (std::size_t from = 0; from <= original.size();) {
    const auto slash = std::min(original.find('/', from), original.size());
    if (!path.empty()) path += '/';
    path += safe_part(original.substr(from, slash - from)).substr(0, kMaxPart);
    from = slash + 1;
  }
  return path;
}

}  // namespace

std::string SafeNames::name(const std::string& prefix, const std::string& original) {
  const std::string key = prefix + "/" + original;
  if (const auto found = given_.find(key); found != given_.end()) return found->second;
  std::string path = prefix + "/" + safe_path(original);
  if (path.size() > kMaxPath || taken_.contains(folded(path))) {
    // A short digest of the original tells apart what folding or cutting threw together.
    const std::string mark = canon::sha256(std::string_view(original)).hex().substr(0, 12);
    path =
        fmt::format("{}/{}-{}", prefix, mark, safe_part(original.substr(original.find_last_of('/') + 1)).substr(0, 60));
  }
  taken_.insert(folded(path));
  given_[key] = path;
  if (path != key) changed_[path] = original;
  return path;
}

canon::Json SafeNames::changed() const {
  canon::Json rows = canon::Json::array();
  for (const auto& [name, original] : changed_)
    rows.push_back({{"name", name}, {"original", canon::printable(original)}});
  return {{"names", rows}};
}

}  // namespace stella::evidence
