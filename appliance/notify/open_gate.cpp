// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "appliance/notify/message.hpp"
#include "bundles/approval/roster.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::notify {
namespace {

using canon::text_in;

constexpr auto kCode = fault::Code::journal_tampered;

int count_in(const canon::Json& value) {
  return value.is_number_integer() ? static_cast<int>(std::clamp<std::int64_t>(value.get<std::int64_t>(), 0, 1000)) : 0;
}

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

OpenGate OpenGate::of(const journal::Event& waiting) {
  OpenGate open{.gate = text_in(waiting.data, "gate"),
                .step = waiting.step,
                .message = text_in(waiting.data, "message"),
                .seq = waiting.seq,
                .since = waiting.at,
                .expires_at = {},
                .need = 1,
                .roles = {},
                .approved = {}};
  if (const auto need = waiting.data.find("threshold"); need != waiting.data.end()) open.need = count_in(*need);
  if (const auto roles = waiting.data.find("roles"); roles != waiting.data.end() && roles->is_object()) {
    for (const auto& [role, count] : roles->items()) open.roles[role] = count_in(count);
  }
  const std::string until = text_in(waiting.data, "expiresAt");
  if (!until.empty()) open.expires_at = clock::parse_time(until, kCode, waiting.run);
  return open;
}

canon::Json OpenGate::json() const {
  return {{"gate", gate},
          {"step", step},
          {"message", message},
          {"seq", seq},
          {"since", clock::format_millis(since)},
          {"expiresAt", clock::format_millis(expires_at)},
          {"need", need},
          {"roles", roles},
          {"approved", approved}};
}

OpenGate OpenGate::parse(const canon::Json& json) {
  canon::Fields fields(json, kCode, "schema", "a gate of the outbox");
  OpenGate open{.gate = fields.text("gate"),
                .step = fields.text("step"),
                .message = fields.text("message"),
                .seq = fields.integer("seq", 0, std::int64_t{1} << 53),
                .since = clock::parse_time(fields.text("since", 64), kCode, "since"),
                .expires_at = clock::parse_time(fields.text("expiresAt", 64), kCode, "expiresAt"),
                .need = static_cast<int>(fields.integer("need", 0, 1000)),
                .roles = {},
                .approved = fields.texts("approved")};
  for (const auto& [role, count] : fields.object("roles").items()) open.roles[role] = count_in(count);
  fields.finish();
  return open;
}

Missing missing_at(const OpenGate& gate, const site::Policy& policy, const std::string& tenant_name) {
  Missing missing{
      .approvals = std::max(0, gate.need - static_cast<int>(gate.approved.size())), .people = {}, .roles = {}};
  const site::Tenant* tenant = policy.find_tenant(tenant_name);
  std::map<std::string, int> covered;
  for (const site::Approver& one : tenant == nullptr ? std::vector<site::Approver>{} : tenant->approvers) {
    if (!is_among(gate.approved, one.name)) continue;
    for (const std::string& role : one.roles) ++covered[role];
  }
  missing.people = approval::may_still_answer(policy, tenant_name, gate.approved, gate.askers);
  for (const auto& [role, count] : gate.roles) {
    if (covered[role] < count) missing.roles.push_back(role);
  }
  return missing;
}

}  // namespace stella::notify
