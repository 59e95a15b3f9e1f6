// SPDX-License-Identifier: Apache-2.0
// What must hold of a policy's `notifications` and the rest of it (contract sections 8 and 15).
#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/site/notification.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr std::size_t kMaxRecipients = 50;

struct Place {
  const Policy& policy;
  const Notification& rule;
  std::string pointer;
  Report& report;
  void problem(const std::string& member, const std::string& what, const std::string& reason) const {
    report.problem(pointer + member, what, reason);
  }
};

// A topic that nothing has would be silence that nobody notices.
void check_topic(const Place& at) {
  const auto topics = notification_topics();
  const bool known =
      std::any_of(topics.begin(), topics.end(), [&](auto topic) { return matches(at.rule.topic, std::string(topic)); });
  if (at.rule.topic.empty() || known) return;
  at.report.warn(at.pointer + "/topic",
                 fmt::format("no message has the topic `{}`: nobody would ever be told", at.rule.topic), "topic");
}

void check_tenants(const Place& at) {
  for (std::size_t i = 0; i < at.rule.tenants.size(); ++i) {
    if (at.policy.find_tenant(at.rule.tenants[i]) == nullptr)
      at.problem(fmt::format("/tenants/{}", i),
                 fmt::format("there is no tenant `{}`", canon::printable(at.rule.tenants[i], 63)), "tenant");
  }
}

void check_mail(const Place& at) {
  const Notification& rule = at.rule;
  if (rule.to != "email") {
    if (!rule.from.empty()) at.problem("/from", "`from` is for email", "to");
    if (!rule.recipients.empty()) at.problem("/recipients", "`recipients` are for email", "to");
    return;
  }
  if (!rule.from.empty() && !is_mail_address(rule.from))
    at.problem("/from", fmt::format("`{}` is no plain mail address", canon::printable(rule.from, 100)), "address");
  if (rule.recipients.empty() || rule.recipients.size() > kMaxRecipients)
    at.problem("/recipients", fmt::format("1 to {} recipients are needed", kMaxRecipients), "recipients");
  for (std::size_t i = 0; i < rule.recipients.size(); ++i) {
    if (!is_mail_address(rule.recipients[i]))
      at.problem(fmt::format("/recipients/{}", i),
                 fmt::format("`{}` is no plain mail address", canon::printable(rule.recipients[i], 100)), "address");
  }
}

void check_spool(const Place& at) {
  const Notification& rule = at.rule;
  if (!rule.host.empty()) at.problem("/host", "a spooled message goes to no host", "to");
  if (!rule.credential.empty()) at.problem("/credential", "a spooled message needs no credential", "to");
}

// Slack's webhook token and PagerDuty's routing key are what makes a request theirs.
void check_credential(const Place& at, const AllowEntry* route) {
  const Notification& rule = at.rule;
  if (rule.credential.empty()) {
    if (rule.to == "slack" || rule.to == "pagerduty")
      at.problem("/credential", fmt::format("{} needs a credential: the name of a file in the home's notify/", rule.to),
                 "credential");
    return;
  }
  if (!rule.tls && !(route != nullptr && is_loopback(*route)))
    at.problem("/tls", "the credential would go over the network in clear: only loopback may do without TLS", "tls");
}

void check_target(const Place& at) {
  const Notification& rule = at.rule;
  if (!rule.host.empty() && !is_host(rule.host) && !find_address_kind(rule.host))
    at.problem("/host", fmt::format("`{}` is not a lower-case host name", canon::printable(rule.host, 60)), "host");
  if (rule.path.starts_with('/') && !is_request_path(rule.path))
    at.problem("/path", "a path has letters, digits and `/-._~%?=&` only, and no `..`", "path");
  const AllowEntry* route = find_route(at.policy, rule);
  check_credential(at, route);
  if (at.policy.mode == Mode::sealed) {
    at.report.warn(at.pointer + "/to",
                   fmt::format("in sealed mode nothing is posted: what is for {} goes into the spool", rule.to),
                   "sealed");
  } else if (route == nullptr && !rule.host.empty()) {
    at.problem("/host",
               fmt::format("network.allow has no entry `for: [stella]` of {} port {}", canon::printable(rule.host, 60),
                           port_of(rule)),
               "allow");
  }
}

}  // namespace

void check_notifications(const Policy& policy, Report& report) {
  for (std::size_t i = 0; i < policy.notifications.size(); ++i) {
    const Place at{policy, policy.notifications[i], fmt::format("/notifications/{}", i), report};
    check_topic(at);
    check_tenants(at);
    check_mail(at);
    if (at.rule.to == "spool")
      check_spool(at);
    else
      check_target(at);
  }
}

}  // namespace stella::site
