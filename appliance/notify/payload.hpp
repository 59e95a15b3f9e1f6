// SPDX-License-Identifier: Apache-2.0
// A message in the shape that its receiver takes, without any credential. The same message gives the same bytes. Pure;
// any thread. Sources: api.slack.com "Reference: blocks" and "Formatting text"; RFC 5322, 2045, 2047; PagerDuty "Events
// API v2 overview"; docs/formats/notification.md.
#pragma once

#include <string>

#include "appliance/notify/message.hpp"

namespace stella::notify {

// By rule.to. slack, pagerduty, webhook, spool: RFC 8785 bytes. email: a whole message with CRLF lines, ASCII only.
[[nodiscard]] std::string payload_of(const Message& message, const site::Notification& rule, const std::string& id);

// An incoming webhook's JSON. Foreign text stands in `plain_text` and code only, `&<>` escaped: it can neither format
// nor mention nor link.
[[nodiscard]] canon::Json slack_json(const Message& message);
// Without `routing_key`. Opens an incident, or closes the one of the same gate or run, by `dedup_key`.
[[nodiscard]] canon::Json pagerduty_json(const Message& message, const std::string& id);
[[nodiscard]] std::string email_text(const Message& message, const site::Notification& rule, const std::string& id);

// At most `max_bytes`, cut between characters, with an ellipsis where something is left out.
[[nodiscard]] std::string cut(const std::string& text, std::size_t max_bytes);

}  // namespace stella::notify
