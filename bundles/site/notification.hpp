// SPDX-License-Identifier: Apache-2.0
// What the policy's `notifications` mean beyond their shape: which topics there are, and by which allow entry a rule
// may leave the machine. Pure; any thread. Source: contract sections 8 and 15, docs/operations/notifications.md.
#pragma once

#include <span>
#include <string_view>

#include "bundles/site/policy.hpp"

namespace stella::site {

// Every topic that a message can have: those of `pack.run.*`, and the types of the events behind them.
[[nodiscard]] std::span<const std::string_view> notification_topics() noexcept;

// 443, or 80 without TLS; for mail 587 (STARTTLS), or 25 without TLS.
[[nodiscard]] int port_of(const Notification& rule);
// The entry of network.allow, marked `for: [stella]`, of the rule's host and port; nullptr: there is none.
[[nodiscard]] const AllowEntry* find_route(const Policy& policy, const Notification& rule);
// Every address of the entry is a loopback one: what goes there stays on this machine.
[[nodiscard]] bool is_loopback(const AllowEntry& entry);

// ASCII local@domain without quotes, comments or white space, at most 254 bytes (a part of RFC 5321, section 4.1.2): it
// can stand in a header or an SMTP command as it is.
[[nodiscard]] bool is_mail_address(std::string_view text);
// Unreserved characters of RFC 3986 and `/%?=&`, no `..`; at most 1,024 bytes.
[[nodiscard]] bool is_request_path(std::string_view text);

}  // namespace stella::site
