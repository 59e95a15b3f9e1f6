// SPDX-License-Identifier: Apache-2.0
#include "appliance/network/decision.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "appliance/pack/grammar.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::network {
namespace {

bool is_for(const site::AllowEntry& entry, const std::string& pack_name) {
  return !entry.for_stella && site::matches_any(entry.packs, pack_name);
}

bool is_same(const site::AllowEntry& entry, const pack::Ask& ask) {
  return entry.port == ask.port && pack::lower_case(entry.host) == ask.host;
}

bool is_loopback(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1)
    return bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254);
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return false;
  const bool is_link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
  const bool is_one =
      std::all_of(bytes.begin(), bytes.end() - 1, [](unsigned char b) { return b == 0; }) && bytes[15] == 1;
  return is_link_local || is_one;
}

// A plain word stays; anything else comes out as a JSON string, which YAML reads the same and a terminal shows safely.
std::string quoted(const std::string& text) {
  const bool is_plain = pack::is_host(text) && text.find(':') == std::string::npos;
  return is_plain ? text : canon::canonical(canon::Json(canon::printable(text, 253)));
}

template <class List>
void sort_unique(List& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

std::vector<pack::Ask> sorted(std::vector<pack::Ask> asks) {
  const auto key = [](const pack::Ask& ask) { return std::tie(ask.host, ask.port); };
  std::ranges::sort(asks, {}, key);
  const auto same = [&](const pack::Ask& a, const pack::Ask& b) { return key(a) == key(b); };
  asks.erase(std::unique(asks.begin(), asks.end(), same), asks.end());
  return asks;
}

}  // namespace

std::string policy_line(const std::string& host, const std::string& address, int port) {
  const std::string name = host.empty() ? address : host;
  const std::string where = address.empty() ? "ADDRESS-OF-THE-HOST" : quoted(address);
  return fmt::format("- {{host: {}, address: {}, port: {}{}}}", quoted(name), where, port,
                     is_loopback(address) ? ", loopback: true" : "");
}

Decisions decide(const std::vector<pack::Ask>& asked, const site::Policy* policy, const std::string& pack_name) {
  Decisions decisions;
  decisions.asked = sorted(asked);
  for (const pack::Ask& ask : decisions.asked) {
    const std::size_t before = decisions.allowed.size();
    if (policy != nullptr)
      for (const site::AllowEntry& entry : policy->allow)
        if (is_for(entry, pack_name) && is_same(entry, ask))
          for (const std::string& address : entry.addresses) decisions.allowed.push_back({ask.host, address, ask.port});
    if (decisions.allowed.size() == before)
      decisions.refused.push_back({ask.host, ask.port, policy_line(ask.host, "", ask.port)});
  }
  sort_unique(decisions.allowed);
  return decisions;
}

std::vector<Endpoint> undeclared(const std::vector<pack::Ask>& asked, const site::Policy* policy,
                                 const std::string& pack_name) {
  std::vector<Endpoint> found;
  if (policy == nullptr) return found;
  for (const site::AllowEntry& entry : policy->allow) {
    if (!is_for(entry, pack_name) ||
        std::ranges::any_of(asked, [&](const pack::Ask& ask) { return is_same(entry, ask); }))
      continue;
    for (const std::string& address : entry.addresses)
      found.push_back({pack::lower_case(entry.host), address, entry.port});
  }
  sort_unique(found);
  return found;
}

}  // namespace stella::network
