// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/payload.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stella::notify {
namespace {

using canon::Json;

constexpr std::string_view kMore = "…";
constexpr std::size_t kHeader = 140, kField = 1500, kSection = 2500, kFields = 10;  // Slack: 150, 2000, 3000, 10

std::string_view entity_of(const char& c) {
  return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string_view(&c, 1);
}

// At most `max_bytes` with the entities counted: Slack counts what it is sent.
std::string escaped(const std::string& text, std::size_t max_bytes) {
  std::string out;
  for (const char& c : text) out += entity_of(c);
  if (out.size() <= max_bytes) return out;
  out.clear();
  for (std::size_t at = 0; at < text.size();) {
    std::string next(entity_of(text[at++]));
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80) next += text[at++];
    if (out.size() + next.size() > max_bytes - kMore.size()) break;
    out += next;
  }
  return out + std::string(kMore);
}

Json plain(const std::string& text, std::size_t max_bytes) {
  return {{"type", "plain_text"}, {"text", escaped(text, max_bytes)}, {"emoji", false}};
}

// A backtick would end the code: it goes out as an apostrophe, which no command of ours has in its place.
Json code(const std::string& text) {
  std::string safe = text;
  std::replace(safe.begin(), safe.end(), '`', '\'');
  return {{"type", "mrkdwn"}, {"text", "```" + escaped(safe, kSection) + "```"}, {"verbatim", true}};
}

const char* action_of(Bearing bearing) {
  return bearing == Bearing::closes ? "resolve" : "trigger";
}

}  // namespace

std::string cut(const std::string& text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes - kMore.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end) + std::string(kMore);
}

Json slack_json(const Message& message) {
  Json fields = Json::array();
  for (const auto& [label, value] : facts_of(message)) {
    if (fields.size() < kFields) fields.push_back(plain(fmt::format("{}\n{}", label, value), kField));
  }
  Json blocks = Json::array({Json{{"type", "header"}, {"text", plain(message.headline, kHeader)}},
                             Json{{"type", "section"}, {"fields", fields}}});
  if (!message.text.empty()) blocks.push_back({{"type", "section"}, {"text", plain(message.text, kSection)}});
  if (!message.next.empty()) blocks.push_back({{"type", "section"}, {"text", code(message.next)}});
  return {{"text", escaped(message.headline, kSection)},
          {"mrkdwn", false},
          {"unfurl_links", false},
          {"unfurl_media", false},
          {"blocks", blocks}};
}

Json pagerduty_json(const Message& message, const std::string& id) {
  const Moment& moment = moment_of(message.what);
  Json details = {{"id", id}};
  for (const auto& [label, value] : facts_of(message)) details[label] = value;
  if (!message.text.empty()) details["Text"] = message.text;
  if (!message.next.empty()) details["Next"] = message.next;
  return {{"event_action", action_of(moment.bearing)},
          {"dedup_key", matter_of(message)},
          {"client", "stella"},
          {"payload",
           {{"summary", cut(message.headline, 1000)},
            {"source", message.appliance.empty() ? message.site : message.appliance},
            {"severity", name_of(moment.severity)},
            {"timestamp", clock::format_millis(message.at)},
            {"component", message.pack.empty() ? "stella" : message.pack},
            {"group", message.tenant.empty() ? message.site : message.tenant},
            {"class", moment.topic},
            {"custom_details", details}}}};
}

std::string payload_of(const Message& message, const site::Notification& rule, const std::string& id) {
  if (rule.to == "slack") return canon::canonical(slack_json(message));
  if (rule.to == "pagerduty") return canon::canonical(pagerduty_json(message, id));
  if (rule.to == "email") return email_text(message, rule, id);
  return canon::canonical(json_of(message, id));
}

}  // namespace stella::notify
