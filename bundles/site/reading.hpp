// SPDX-License-Identifier: Apache-2.0
// Reading a policy document to its end although parts of it are wrong, so that people see all problems at once.
// One thread, one document.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/site/policy.hpp"
#include "bundles/yaml/document.hpp"

namespace stella::site {

// Collects what is wrong, each with its place. Keeps the first 200.
class Report {
 public:
  explicit Report(const yaml::Document& document) : document_(document) {}
  void problem(const std::string& pointer, const std::string& what, const std::string& reason = "schema");
  void problem_at_key(const std::string& pointer, const std::string& what);
  void warn(const std::string& pointer, const std::string& what, const std::string& reason);
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }
  [[nodiscard]] const std::vector<Problem>& warnings() const noexcept { return warnings_; }
  [[nodiscard]] std::string place(const std::string& pointer) const { return document_.at(pointer); }

 private:
  const yaml::Document& document_;
  std::vector<Problem> problems_, warnings_;
};

enum class Need { required, optional };

struct Item {
  const canon::Json* value;
  std::string pointer;
};

// One object of the document. Members are asked for by name; finish() reports those that nobody asked for.
// What is missing or of another type is reported once and comes back empty.
class Object {
 public:
  Object(const Item& item, Report& report);
  [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }
  [[nodiscard]] std::string at(std::string_view name) const;
  [[nodiscard]] const canon::Json* find(std::string_view name, Need need = Need::optional);
  [[nodiscard]] std::string text(std::string_view name, Need need = Need::optional);
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max, std::int64_t otherwise,
                                     Need need = Need::optional);
  [[nodiscard]] bool boolean(std::string_view name, bool otherwise);
  [[nodiscard]] std::vector<Item> list(std::string_view name, Need need = Need::optional);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name, Need need = Need::optional);
  [[nodiscard]] std::optional<Object> object(std::string_view name, Need need = Need::optional);
  [[nodiscard]] std::string choice(std::string_view name, const std::vector<std::string>& allowed,
                                   const std::string& otherwise);
  [[nodiscard]] std::optional<trust::PublicKey> key(std::string_view name);
  [[nodiscard]] clock::Duration duration(std::string_view name, clock::Duration otherwise);
  void problem(std::string_view name, const std::string& what, const std::string& reason = "schema");
  void finish();

 private:
  const canon::Json* value_;  // nullptr: there is no object here, already reported
  std::string pointer_;
  Report* report_;
  std::set<std::string, std::less<>> asked_;
};

[[nodiscard]] std::optional<trust::PublicKey> read_key(const Item& item, Report& report);

// A raw key where it stands, for the rule that a key stands in one list only.
struct KeyUse {
  trust::PublicKey key;
  std::string list, name, tenant, pointer;
};
struct Reading {
  Policy policy;
  std::vector<KeyUse> keys;
};
void read_people(Object& root, Reading& reading,
                 Report& report);  // admins appliances auditors publishers revoked tenants
void read_effects(Object& root, Reading& reading,
                  Report& report);   // denied network approvals retention mirror and the rest
void read_escalation(Object& root);  // escalation.cpp: only checked here, few read it
void check_rules(const Reading& reading, Report& report);
void check_notifications(const Policy& policy, Report& report);  // notification_rules.cpp

// ^[a-z0-9][a-z0-9._-]{0,62}$: names that become file names and principals.
[[nodiscard]] bool is_name(std::string_view name);
// Names of people: 1..100 bytes that print as they are.
[[nodiscard]] bool is_person(std::string_view name);
// Letters as is_name, with `*`; at most 128 bytes.
[[nodiscard]] bool is_pattern(std::string_view pattern);
void check_patterns(const std::vector<std::string>& patterns, const std::string& pointer, Report& report);

// What kind of address this text is; nullopt: it is no address in its usual spelling (a name, a zone, ::ffff:1.2.3.4).
enum class AddressKind {
  ordinary,
  local,
  unusable
};  // local: loopback, link-local, metadata; unusable: 0/8, multicast
[[nodiscard]] std::optional<AddressKind> find_address_kind(const std::string& text);
[[nodiscard]] bool is_host(std::string_view host);  // a lower-case DNS name

}  // namespace stella::site
