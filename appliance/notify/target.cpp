// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/site/notification.hpp"

namespace stella::notify {

std::string target_of(const site::Notification& rule) {
  canon::Json json = {{"to", rule.to}};
  if (rule.to == "spool") return canon::canonical(json);
  json["host"] = rule.host;
  json["port"] = site::port_of(rule);
  json["tls"] = rule.tls;
  json["credential"] = rule.credential;
  if (rule.to == "email") {
    json["from"] = rule.from;
    json["recipients"] = rule.recipients;
  } else {
    json["path"] = rule.path;
  }
  return canon::canonical(json);
}

std::string target_words(const site::Notification& rule) {
  if (rule.to == "spool") return "spool";
  const std::string where = fmt::format("{}:{}", rule.host, site::port_of(rule));
  if (rule.to != "email") return fmt::format("{} {}", rule.to, where);
  return fmt::format(
      "email to {} by {}",
      rule.recipients.size() == 1 ? rule.recipients.front() : fmt::format("{} people", rule.recipients.size()), where);
}

const site::Notification* find_target(const site::Policy& policy, const std::string& target) {
  const auto found = std::find_if(policy.notifications.begin(), policy.notifications.end(),
                                  [&](const site::Notification& rule) { return target_of(rule) == target; });
  return found == policy.notifications.end() ? nullptr : &*found;
}

std::variant<Way, Barred> find_way(const site::Policy& policy, const site::Notification& rule,
                                   const std::string& pack) {
  if (policy.mode == site::Mode::sealed)
    return Barred{"sealed", "the site is sealed: stella opens no connection of its own"};
  const site::AllowEntry* entry = site::find_route(policy, rule);
  if (entry == nullptr || entry->addresses.empty())
    return Barred{"not-allowed", fmt::format("network.allow has no entry `for: [stella]` of {} port {}", rule.host,
                                             site::port_of(rule))};
  if (!pack.empty() && !site::matches_any(entry->packs, pack))
    return Barred{"not-allowed", fmt::format("the entry of {} port {} is not for messages about {}", rule.host,
                                             site::port_of(rule), pack)};
  return Way{rule.host, site::port_of(rule), entry->addresses};
}

}  // namespace stella::notify
