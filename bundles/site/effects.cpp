// SPDX-License-Identifier: Apache-2.0
// The part of a policy that says what: mode, network, approvals, denied packs, mirror sources and the rest.
#include <fmt/format.h>

#include "bundles/canon/fields.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr auto kCode = fault::Code::site_invalid;

void read_head(Object& root, Policy& policy) {
  const std::string schema = root.text("schema", Need::required);
  if (!schema.empty() && schema != "stella.site.v1") {
    root.problem("schema", fmt::format("`{}` is not stella.site.v1, the one format that this stella reads",
                                       canon::printable(schema, 60)));
  }
  policy.version = root.integer("version", 1, std::int64_t{1} << 53, 0, Need::required);
  const std::string mode = root.choice("mode", {"sealed", "constrained", "connected"}, "sealed");
  policy.mode = mode == "sealed" ? Mode::sealed : mode == "constrained" ? Mode::constrained : Mode::connected;
  policy.homes = root.choice("homes", {"any", "service"}, "any") == "any" ? Homes::any : Homes::service;
  const std::string until = root.text("validUntil");
  try {
    if (!until.empty()) policy.valid_until = clock::parse_time(until, kCode, {});
  } catch (const fault::Error& error) {
    root.problem("validUntil", error.what(), error.reason());
  }
}

void read_denied(Object& root, Policy& policy, Report& report) {
  for (const Item& item : root.list("denied")) {
    Object object(item, report);
    Denied denied{object.text("pack", Need::required), object.text("reason", Need::required)};
    object.finish();
    if (denied.pack.starts_with("sha256:")) {
      try {
        (void)canon::parse_digest(denied.pack, kCode, {});
      } catch (const fault::Error& error) {
        object.problem("pack", error.what(), error.reason());
      }
    } else if (const std::size_t colon = denied.pack.find(':');
               !denied.pack.empty() && (colon == std::string::npos || colon == 0 || colon + 1 == denied.pack.size())) {
      object.problem("pack", "a denied pack is NAME:VERSION or sha256:HEX");
    }
    policy.denied.push_back(std::move(denied));
  }
}

// `address` is one address or a list of them.
std::vector<Item> address_items(Object& object) {
  const canon::Json* value = object.find("address", Need::required);
  if (value == nullptr) return {};
  if (value->is_array() && !value->empty()) return object.list("address");
  return {{value, object.at("address")}};
}

void read_addresses(Object& object, AllowEntry& entry, Report& report) {
  for (const Item& item : address_items(object)) {
    const std::string address = item.value->is_string() ? item.value->get<std::string>() : std::string();
    const std::optional<AddressKind> kind = find_address_kind(address);
    if (!kind) {
      report.problem(item.pointer,
                     fmt::format("`{}` is not an IPv4 or IPv6 address in its usual spelling; names are never resolved",
                                 canon::printable(address, 60)),
                     "address");
    } else if (*kind == AddressKind::unusable) {
      report.problem(item.pointer, fmt::format("{} is no address of a host", address), "address");
    } else if (*kind == AddressKind::local && !entry.loopback) {
      report.problem(
          item.pointer,
          fmt::format("{} is a loopback, link-local or metadata address; say `loopback: true` if it is meant", address),
          "loopback");
    }
    entry.addresses.push_back(address);
  }
}

AllowEntry read_allow(const Item& item, Report& report) {
  Object object(item, report);
  AllowEntry entry;
  entry.host = object.text("host", Need::required);
  if (!entry.host.empty() && !is_host(entry.host) && !find_address_kind(entry.host)) {
    object.problem("host", fmt::format("`{}` is not a lower-case host name", canon::printable(entry.host, 60)), "host");
  }
  entry.loopback = object.boolean("loopback", false);
  read_addresses(object, entry, report);
  entry.port = static_cast<int>(object.integer("port", 1, 65535, 0, Need::required));
  entry.packs = object.texts("packs");
  check_patterns(entry.packs, object.at("packs"), report);
  entry.reason = object.text("reason");
  for (const std::string& reader : object.texts("for")) {
    if (reader == "stella")
      entry.for_stella = true;
    else if (!reader.empty())
      object.problem("for", "`for` knows one word: stella");
  }
  object.finish();
  return entry;
}

void read_network(Object& root, Policy& policy, Report& report) {
  std::optional<Object> network = root.object("network");
  if (!network) return;
  policy.dns_block = network->choice("dns", {"block", "note"}, "block") == "block";
  for (const Item& item : network->list("allow")) policy.allow.push_back(read_allow(item, report));
  network->finish();
}

Requirement read_requirement(const Item& item, Report& report) {
  Object object(item, report);
  Requirement requirement;
  requirement.packs = object.texts("packs");
  check_patterns(requirement.packs, object.at("packs"), report);
  requirement.threshold = static_cast<int>(object.integer("threshold", 1, 64, 1));
  if (const canon::Json* roles = object.find("roles"); roles != nullptr) {
    Object names({roles, object.at("roles")}, report);
    if (roles->is_object()) {
      for (const auto& [role, count] : roles->items()) {
        requirement.roles[role] = static_cast<int>(names.integer(role, 1, 64, 1));
      }
    }
  }
  object.finish();
  return requirement;
}

void read_approvals(Object& root, Policy& policy, Report& report) {
  std::optional<Object> approvals = root.object("approvals");
  if (!approvals) return;
  policy.default_expiry = approvals->duration("defaultExpiry", policy.default_expiry);
  policy.allow_requester_to_approve = approvals->boolean("allowRequesterToApprove", false);
  policy.on_appliance = approvals->boolean("onAppliance", true);
  for (const Item& item : approvals->list("require")) policy.require.push_back(read_requirement(item, report));
  approvals->finish();
}

void read_mirror(Object& root, Policy& policy, Report& report) {
  std::optional<Object> mirror = root.object("mirror");
  if (!mirror) return;
  policy.mirror_sources_listed = mirror->find("sources") != nullptr;
  for (const Item& item : mirror->list("sources")) {
    Object object(item, report);
    MirrorSource source;
    source.name = object.text("name", Need::required);
    if (!source.name.empty() && !is_name(source.name))
      object.problem("name", "a source's name is lower-case letters, digits, `.`, `_`, `-`", "name");
    const std::string root_digest = object.text("root", Need::required);
    try {
      if (!root_digest.empty()) source.root = canon::parse_digest(root_digest, kCode, {});
    } catch (const fault::Error& error) {
      object.problem("root", error.what(), error.reason());
    }
    object.finish();
    policy.mirror_sources.push_back(std::move(source));
  }
  policy.mirror_max_age = mirror->duration("maxAge", policy.mirror_max_age);
  policy.mirror_warn_age = mirror->duration("warnAge", policy.mirror_warn_age);
  mirror->finish();
}

Notification read_notification(const Item& item, Report& report) {
  Object object(item, report);
  Notification rule;
  rule.topic = object.text("topic", Need::required);
  if (!rule.topic.empty() && !is_pattern(rule.topic))
    object.problem("topic", "a topic is an event's type or a pattern of them: pack.run.*");
  rule.to = object.choice("to", {"spool", "slack", "email", "pagerduty", "webhook"}, "spool");
  rule.host = object.text("host", rule.to == "spool" ? Need::optional : Need::required);
  rule.port = static_cast<int>(object.integer("port", 1, 65535, 0));
  if (const std::string path = object.text("path"); !path.empty()) rule.path = path;
  if (!rule.path.starts_with('/')) object.problem("path", "a path begins with /");
  rule.tls = object.boolean("tls", true);
  rule.from = object.text("from", rule.to == "email" ? Need::required : Need::optional);
  rule.recipients = object.texts("recipients", rule.to == "email" ? Need::required : Need::optional);
  rule.credential = object.text("credential");
  if (!rule.credential.empty() && !is_name(rule.credential))
    object.problem("credential", "the name of a file beneath the home's notify/ is needed here", "name");
  rule.tenants = object.texts("tenants");
  rule.packs = object.texts("packs");
  check_patterns(rule.packs, object.at("packs"), report);
  object.finish();
  return rule;
}

void read_operations(Object& root, Policy& policy, Report& report) {
  for (const Item& item : root.list("notifications")) policy.notifications.push_back(read_notification(item, report));
  if (std::optional<Object> chaos = root.object("chaos")) {
    policy.chaos_allowed = chaos->boolean("allow", false);
    chaos->finish();
  }
  read_escalation(root);
  if (std::optional<Object> kit = root.object("offlineKit")) {
    const std::string folder = kit->text("folder", Need::required);
    if (!folder.empty() && !folder.starts_with('/')) kit->problem("folder", "an absolute path is needed here");
    policy.offline_kit = folder;
    kit->finish();
  }
}

}  // namespace

void read_effects(Object& root, Reading& reading, Report& report) {
  Policy& policy = reading.policy;
  read_head(root, policy);
  read_denied(root, policy, report);
  read_network(root, policy, report);
  read_approvals(root, policy, report);
  if (std::optional<Object> retention = root.object("retention")) {
    policy.retention = retention->duration("runs", policy.retention);
    if (retention->find("artifacts") != nullptr) {
      policy.artifact_retention = retention->duration("artifacts", policy.retention);
      if (*policy.artifact_retention > policy.retention)
        retention->problem("artifacts", "artifacts go before the rest of their run: at most `runs` is possible here",
                           "retention");
    }
    retention->finish();
  }
  read_mirror(root, policy, report);
  read_operations(root, policy, report);
}

}  // namespace stella::site
