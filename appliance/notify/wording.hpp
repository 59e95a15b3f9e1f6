// SPDX-License-Identifier: Apache-2.0
// The words of a message: headline, text, next command. Foreign text comes in here and goes out printable and bounded.
// Pure; any thread.
#pragma once

#include "appliance/notify/message.hpp"

namespace stella::notify {

// Printable, at most `max_bytes` of it (the rest is left out and counted), on one line.
[[nodiscard]] std::string shown(const std::string& foreign, std::size_t max_bytes);
// A member of an event's data as shown(); numbers as text, anything else empty.
[[nodiscard]] std::string data_text(const journal::Event& event, const char* name, std::size_t max_bytes);

void put_words(Message& message, const journal::Event& event);    // headline and text
void put_expiring_words(Message& message, clock::Duration left);  // the same of a gate that runs out soon
[[nodiscard]] std::string next_command(const Message& message);
// `security-review: 1 of 2 approvals; missing role safety; may decide: Ada Obi (safety), Ben Keller; until …`
[[nodiscard]] std::string gate_words(const Message& message);

}  // namespace stella::notify
