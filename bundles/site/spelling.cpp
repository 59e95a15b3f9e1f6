// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bundles/canon/fields.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

using Octets = std::array<std::uint8_t, 16>;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

AddressKind kind_of_v4(const Octets& a) {
  if (a[0] == 127 || (a[0] == 169 && a[1] == 254)) return AddressKind::local;
  // Alibaba's and Oracle's metadata services live on addresses that look ordinary.
  if (a[0] == 100 && a[1] == 100 && a[2] == 100 && a[3] == 200) return AddressKind::local;
  if (a[0] == 192 && a[1] == 0 && a[2] == 0 && a[3] == 192) return AddressKind::local;
  return a[0] == 0 || a[0] >= 224 ? AddressKind::unusable : AddressKind::ordinary;
}

AddressKind kind_of_v6(const Octets& a) {
  static constexpr Octets kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, kAny{};
  static constexpr Octets kAmazonMetadata{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54};
  if (a == kLoopback || a == kAmazonMetadata || (a[0] == 0xfe && (a[1] & 0xc0U) == 0x80)) return AddressKind::local;
  return a == kAny || a[0] == 0xff ? AddressKind::unusable : AddressKind::ordinary;
}

// ::ffff:0:0/96 and ::/96: IPv4 in disguise, which would slip past rules for IPv4.
bool is_disguised(const Octets& a) {
  const bool zeros = std::all_of(a.begin(), a.begin() + 10, [](std::uint8_t byte) { return byte == 0; });
  const bool mapped = a[10] == 0xff && a[11] == 0xff;
  const bool compatible = a[10] == 0 && a[11] == 0 && (a[12] != 0 || a[13] != 0);
  return zeros && (mapped || compatible);
}

}  // namespace

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && is_plain(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_plain(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_person(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name.front() != ' ' && name.back() != ' ' &&
         name.find("  ") == std::string_view::npos && canon::printable(name) == name;
}

bool is_pattern(std::string_view pattern) {
  return !pattern.empty() && pattern.size() <= 128 && std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return is_plain(c) || c == '.' || c == '_' || c == '-' || c == '*';
  });
}

void check_patterns(const std::vector<std::string>& patterns, const std::string& pointer, Report& report) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (patterns[i].empty() || is_pattern(patterns[i])) continue;  // empty ones are reported already
    report.problem(fmt::format("{}/{}", pointer, i),
                   fmt::format("`{}` is not a pack name or pattern: lower-case letters, digits, `.`, `_`, `-` and `*`",
                               canon::printable(patterns[i], 60)));
  }
}

std::optional<AddressKind> find_address_kind(const std::string& text) {
  Octets octets{};
  char spelling[INET6_ADDRSTRLEN] = {};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), octets.data()) != 1) continue;
    ::inet_ntop(family, octets.data(), spelling, sizeof spelling);
    if (text != spelling || text.size() != std::strlen(spelling)) return std::nullopt;  // one address, one spelling
    if (family == AF_INET) return kind_of_v4(octets);
    if (is_disguised(octets)) return std::nullopt;
    return kind_of_v6(octets);
  }
  return std::nullopt;
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    const bool good =
        !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
        std::all_of(label.begin(), label.end(), [](char c) { return is_plain(c) || c == '-' || c == '_'; });
    if (!good) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace stella::site
