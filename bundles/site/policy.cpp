// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/policy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr auto kCode = fault::Code::site_invalid;
constexpr std::size_t kMaxJson = std::size_t{1} << 20;

yaml::Document read_document(std::string_view text, const std::string& name) {
  // A signed policy is JSON whatever its file is called; people's files are YAML unless they say .json.
  if (text.starts_with("{\"")) return {canon::parse_json(text, kCode, name, kMaxJson), name, {}};
  return yaml::parse_by_name(text, name, kCode);
}

Reading read_all(const yaml::Document& document, Report& report) {
  Reading reading;
  Object root({&document.value, ""}, report);
  read_people(root, reading, report);
  read_effects(root, reading, report);
  root.finish();
  check_rules(reading, report);
  return reading;
}

}  // namespace

const Tenant* Policy::find_tenant(const std::string& name) const {
  const auto found =
      std::find_if(tenants.begin(), tenants.end(), [&](const Tenant& each) { return each.name == name; });
  return found == tenants.end() ? nullptr : &*found;
}

bool Policy::is_revoked(const trust::PublicKey& key) const {
  return std::any_of(revoked.begin(), revoked.end(), [&](const Revoked& each) { return each.key == key; });
}

const Denied* Policy::find_denied(const std::string& name_version, const canon::Digest& pack) const {
  const std::string tagged = pack.tagged();
  const auto found = std::find_if(denied.begin(), denied.end(),
                                  [&](const Denied& each) { return each.pack == name_version || each.pack == tagged; });
  return found == denied.end() ? nullptr : &*found;
}

// Greedy with one step back to the last `*`: linear in practice, never exponential.
bool matches(const std::string& pattern, const std::string& name) {
  std::size_t p = 0, n = 0, star = std::string::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const std::string& pattern) { return matches(pattern, name); });
}

Checked check_policy(std::string_view text, const std::string& name) {
  const yaml::Document document = read_document(text, name);
  Report report(document);
  (void)read_all(document, report);
  return {report.problems(), report.warnings()};
}

std::vector<Problem> check(std::string_view text, const std::string& name) {
  return check_policy(text, name).problems;
}

Policy parse_policy(std::string_view text, const std::string& name) {
  const yaml::Document document = read_document(text, name);
  Report report(document);
  Policy policy = read_all(document, report).policy;
  if (!report.problems().empty()) {
    const Problem& first = report.problems().front();
    const std::size_t more = report.problems().size() - 1;
    throw fault::Error(kCode, first.reason,
                       more == 0 ? first.what : fmt::format("{} (and {} more problems)", first.what, more), first.at,
                       fmt::format("Correct it; `stella site check {}` lists every problem.", name));
  }
  policy.bytes = canon::canonical(document.value);
  policy.digest = canon::sha256(policy.bytes);
  return policy;
}

}  // namespace stella::site
