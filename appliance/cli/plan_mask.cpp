// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/plan_mask.hpp"

#include <map>

#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using canon::Json;

std::map<std::string, std::string> scopes_of(const std::vector<const Json*>& plans) {
  std::map<std::string, std::string> scopes;
  for (const Json* plan : plans) {
    const auto secrets = plan->find("secrets");
    if (secrets == plan->end() || !secrets->is_array()) continue;
    for (const Json& one : *secrets)
      scopes.emplace(one.at("name").get<std::string>(), one.at("scope").get<std::string>());
  }
  return scopes;
}

}  // namespace

PlanMask::PlanMask(Invocation& call, const std::string& tenant, const std::vector<const Json*>& plans) {
  const auto path = call.value("--redact");
  if (!path) return;
  const locked::Bytes given = call.read_secret(*path);
  const auto source = lease::open_secrets_file(given.view(), *path);
  lease::Ticket ticket{.tenant = tenant, .run = {}, .plan_hash = {}, .step = "plan", .declared = {}};
  for (const auto& [name, scope] : scopes_of(plans)) ticket.declared.push_back({name, scope});
  for (const lease::Wanted& wanted : ticket.declared) {
    if (source->version_of(tenant, wanted)) held_.push_back(source->lease(ticket, wanted));
  }
  std::vector<redaction::Value> values;
  for (const lease::Leased& one : held_) values.push_back({one.name, &one.value});
  patterns_.emplace(values);
}

std::string PlanMask::text(const std::string& text) const {
  if (!patterns_ || patterns_->empty()) return text;
  std::string masked;
  redaction::Redactor redactor(*patterns_, [&](std::string_view bytes) { masked += bytes; });
  redactor.write(text);
  redactor.finish();
  return masked;
}

Json PlanMask::value(const Json& value) const {
  if (!patterns_ || patterns_->empty()) return value;
  Json masked;
  if (value.is_string()) {
    masked = text(value.get<std::string>());
  } else if (value.is_object()) {
    masked = Json::object();
    for (const auto& [name, member] : value.items()) masked[text(name)] = this->value(member);
  } else if (value.is_array()) {
    masked = Json::array();
    for (const Json& item : value) masked.push_back(this->value(item));
  } else {
    masked = value;
  }
  // A number that is a secret, or one that is spread over members.
  const std::string whole = canon::canonical(masked);
  return patterns_->occurs_in(whole) ? Json(text(whole)) : masked;
}

}  // namespace stella::cli
