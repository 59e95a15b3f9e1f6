// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/routes.hpp"

#include <fmt/format.h>

#include <charconv>

#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

std::optional<std::map<std::string, std::string>> match(const std::vector<std::string>& pattern,
                                                        const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  std::map<std::string, std::string> params;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i].starts_with('{'))
      params[pattern[i].substr(1, pattern[i].size() - 2)] = segments[i];
    else if (pattern[i] != segments[i])
      return std::nullopt;
  }
  return params;
}

}  // namespace

std::uint64_t Visit::number(std::string_view name, std::uint64_t otherwise, std::uint64_t max) const {
  const auto text = query(name);
  if (!text) return otherwise;
  std::uint64_t value = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (text->empty() || read.ec != std::errc() || read.ptr != text->data() + text->size() || value > max)
    throw fault::Error(fault::Code::usage, "number",
                       fmt::format("{}={} is no whole number from 0 to {}", name, canon::printable(*text, 40), max),
                       std::string(name));
  return value;
}

void Routes::add(Route route) {
  std::vector<std::string> pattern;
  for (std::size_t from = 1; from < route.pattern.size();) {
    const std::size_t slash = std::min(route.pattern.find('/', from), route.pattern.size());
    pattern.push_back(route.pattern.substr(from, slash - from));
    from = slash + 1;
  }
  patterns_.push_back(std::move(pattern));
  routes_.push_back(std::move(route));
}

Match Routes::find(const std::string& method, const std::vector<std::string>& segments) const {
  const std::string wanted = method == "HEAD" ? "GET" : method;
  Match found;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto params = match(patterns_[i], segments);
    if (!params) continue;
    if (routes_[i].method == wanted) return {&routes_[i], std::move(*params), {}};
    found.allowed.push_back(routes_[i].method);
  }
  return found;
}

}  // namespace stella::console
