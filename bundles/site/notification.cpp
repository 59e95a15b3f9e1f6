// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/notification.hpp"

#include <algorithm>
#include <array>

#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr std::array<std::string_view, 21> kTopics{
    "pack.run.gate-waiting", "pack.run.gate-approved", "pack.run.gate-rejected", "pack.run.gate-expiring",
    "pack.run.gate-expired", "pack.run.failed",        "pack.run.blocked",       "pack.run.succeeded",
    "pack.run.cancelled",    "pack.run.expired",       "pack.run.paused",        "pack.run.finished",
    "pack.run.chaos",        "pack.run.test",          "pack.gate.waiting",      "pack.gate.approved",
    "pack.gate.rejected",    "pack.gate.expiring",     "pack.gate.expired",      "pack.network.blocked",
    "pack.chaos.injected"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_of(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter_or_digit(c) || also.find(c) != std::string_view::npos; });
}

}  // namespace

std::span<const std::string_view> notification_topics() noexcept {
  return kTopics;
}

int port_of(const Notification& rule) {
  if (rule.port != 0) return rule.port;
  if (rule.to == "email") return rule.tls ? 587 : 25;
  return rule.tls ? 443 : 80;
}

const AllowEntry* find_route(const Policy& policy, const Notification& rule) {
  const auto found = std::find_if(policy.allow.begin(), policy.allow.end(), [&](const AllowEntry& entry) {
    return entry.for_stella && entry.host == rule.host && entry.port == port_of(rule);
  });
  return found == policy.allow.end() ? nullptr : &*found;
}

bool is_loopback(const AllowEntry& entry) {
  return !entry.addresses.empty() &&
         std::all_of(entry.addresses.begin(), entry.addresses.end(),
                     [](const std::string& address) { return address.starts_with("127.") || address == "::1"; });
}

bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  const bool dotted =
      local.front() != '.' && local.back() != '.' && local.find("..") == std::string_view::npos && local.front() != '-';
  std::string lower(domain);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return dotted && is_of(local, ".!#$&'*+-/=?^_{|}~") && is_host(lower);
}

bool is_request_path(std::string_view text) {
  return !text.empty() && text.size() <= 1024 && text.front() == '/' && is_of(text, "/-._~%?=&") &&
         text.find("..") == std::string_view::npos;
}

}  // namespace stella::site
