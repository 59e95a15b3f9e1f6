// SPDX-License-Identifier: Apache-2.0
// The part of a policy that says who: admins, appliances, auditors, publishers, revoked keys, tenants.
#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

constexpr std::string_view kNameRule = "lower-case letters, digits, `.`, `_`, `-`; at most 63";

std::string read_name(Object& object, std::string_view field) {
  const std::string name = object.text(field, Need::required);
  if (!name.empty() && !is_name(name)) {
    object.problem(field, fmt::format("`{}` is not a name: {}", canon::printable(name, 60), kNameRule), "name");
  }
  return name;
}

std::string read_person(Object& object) {
  const std::string name = object.text("name", Need::required);
  if (!name.empty() && !is_person(name)) {
    object.problem("name", fmt::format("`{}` is not a person's name that prints as it is", canon::printable(name, 60)),
                   "name");
  }
  return name;
}

struct KeyEntry {
  trust::PublicKey key;
  bool unprotected = false, is_read = false;
};

// `keys` entries are PUBLIC-KEY or {key, unprotected: true}.
KeyEntry read_key_entry(const Item& item, Report& report) {
  KeyEntry entry;
  std::optional<trust::PublicKey> key;
  if (item.value->is_object()) {
    Object object(item, report);
    key = object.key("key");
    entry.unprotected = object.boolean("unprotected", false);
    object.finish();
  } else {
    key = read_key(item, report);
  }
  if (key) entry.key = *key;
  entry.is_read = key.has_value();
  return entry;
}

void read_admins(Object& root, Reading& reading, Report& report) {
  std::optional<Object> admins = root.object("admins", Need::required);
  if (!admins) return;
  reading.policy.admins.threshold = static_cast<int>(admins->integer("threshold", 1, 64, 1, Need::required));
  for (const Item& item : admins->list("keys", Need::required)) {
    const KeyEntry entry = read_key_entry(item, report);
    reading.policy.admins.keys.push_back(entry.key);  // also when unreadable, so that indexes stay the document's
    if (entry.is_read) reading.keys.push_back({entry.key, "admins", {}, {}, item.pointer});
  }
  admins->finish();
}

void read_appliances(Object& root, Reading& reading, Report& report) {
  for (const Item& item : root.list("appliances")) {
    Object object(item, report);
    Appliance appliance;
    appliance.id = read_name(object, "id");
    if (const auto key = object.key("key")) {
      appliance.key = *key;
      reading.keys.push_back({*key, "appliances", appliance.id, {}, object.at("key")});
    }
    reading.policy.appliances.push_back(std::move(appliance));
    object.finish();
  }
}

void read_auditors(Object& root, Reading& reading, Report& report) {
  for (const Item& item : root.list("auditors")) {
    Object object(item, report);
    Person auditor;
    auditor.name = read_person(object);
    if (const auto key = object.key("key")) {
      auditor.key = *key;
      reading.keys.push_back({*key, "auditors", auditor.name, {}, object.at("key")});
    }
    reading.policy.auditors.push_back(std::move(auditor));
    object.finish();
  }
}

void read_publishers(Object& root, Reading& reading, Report& report) {
  for (const Item& item : root.list("publishers")) {
    Object object(item, report);
    Publisher publisher;
    publisher.name = read_person(object);
    publisher.packs = object.texts("packs");
    check_patterns(publisher.packs, object.at("packs"), report);
    // An empty list would read as "all" further on; whoever writes it means "none".
    if (object.find("packs") != nullptr && publisher.packs.empty()) {
      object.problem("packs", "an empty list allows nothing; leave `packs` out to allow all packs");
    }
    if (const auto key = object.key("key")) {
      publisher.key = *key;
      reading.keys.push_back({*key, "publishers", publisher.name, {}, object.at("key")});
    }
    reading.policy.publishers.push_back(std::move(publisher));
    object.finish();
  }
}

void read_revoked(Object& root, Reading& reading, Report& report) {
  for (const Item& item : root.list("revoked")) {
    Object object(item, report);
    Revoked revoked;
    revoked.reason = object.text("reason", Need::required);
    const std::string since = object.text("since", Need::required);
    try {
      if (!since.empty()) revoked.since = clock::parse_time(since, fault::Code::site_invalid, {});
    } catch (const fault::Error& error) {
      object.problem("since", error.what(), error.reason());
    }
    if (const auto key = object.key("key")) {
      revoked.key = *key;
      reading.policy.revoked.push_back(std::move(revoked));
    }
    object.finish();
  }
}

Approver read_approver(const Item& item, const std::string& tenant, Reading& reading, Report& report) {
  Object object(item, report);
  Approver approver;
  approver.name = read_person(object);
  for (const Item& entry : object.list("keys", Need::required)) {
    const KeyEntry key = read_key_entry(entry, report);
    approver.keys.push_back({key.key, key.unprotected});
    if (key.is_read) reading.keys.push_back({key.key, "approvers", approver.name, tenant, entry.pointer});
  }
  for (std::string scope : object.texts("scopes")) {
    // The runbook writes Packs.Approve; scopes are one word in any case.
    std::transform(scope.begin(), scope.end(), scope.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    approver.scopes.push_back(std::move(scope));
  }
  approver.roles = object.texts("roles");
  object.finish();
  if (std::find(approver.scopes.begin(), approver.scopes.end(), "packs.approve") == approver.scopes.end()) {
    report.warn(item.pointer,
                fmt::format("{} has no scope packs.approve and can decide nothing", canon::printable(approver.name)),
                "scope");
  }
  return approver;
}

Tenant read_tenant(const Item& item, Reading& reading, Report& report) {
  Object object(item, report);
  Tenant tenant;
  tenant.name = read_name(object, "name");
  tenant.packs = object.texts("packs");
  check_patterns(tenant.packs, object.at("packs"), report);
  if (object.find("packs") != nullptr && tenant.packs.empty()) {
    object.problem("packs", "an empty list allows nothing; leave `packs` out to allow all packs");
  }
  if (object.find("maxRuns") != nullptr) tenant.max_runs = static_cast<int>(object.integer("maxRuns", 1, 1000, 1));
  for (const Item& each : object.list("operators")) {
    Object operator_object(each, report);
    Operator person;
    person.name = read_person(operator_object);
    person.user = operator_object.text("user", Need::required);
    operator_object.finish();
    tenant.operators.push_back(std::move(person));
  }
  for (const Item& each : object.list("approvers")) {
    tenant.approvers.push_back(read_approver(each, tenant.name, reading, report));
  }
  object.finish();
  return tenant;
}

}  // namespace

void read_people(Object& root, Reading& reading, Report& report) {
  reading.policy.site = read_name(root, "site");
  read_admins(root, reading, report);
  read_appliances(root, reading, report);
  read_auditors(root, reading, report);
  read_publishers(root, reading, report);
  read_revoked(root, reading, report);
  for (const Item& item : root.list("tenants")) reading.policy.tenants.push_back(read_tenant(item, reading, report));
}

}  // namespace stella::site
