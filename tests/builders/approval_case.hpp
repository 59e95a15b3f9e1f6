// SPDX-License-Identifier: Apache-2.0
// A request with everything around it, for tests of approvals: a policy with two approvers, an appliance, a plan of
// four steps with a gate. Change a field, then make().
#pragma once

#include <string>
#include <vector>

#include "bundles/approval/ledger.hpp"
#include "bundles/approval/request.hpp"
#include "bundles/approval/response.hpp"
#include "bundles/approval/roster.hpp"
#include "bundles/locked/bytes.hpp"

namespace stella::testing {

inline trust::PrivateKey key_of(unsigned char number) {
  locked::Bytes seed(32);
  for (std::size_t i = 0; i < 32; ++i) seed.data()[i] = number;
  return trust::PrivateKey::from_seed(std::move(seed));
}

inline clock::Time time_of(const char* text) {
  return clock::parse_time(text, fault::Code::usage, "test");
}

struct ApprovalCase {
  trust::PrivateKey admin = key_of(1), appliance = key_of(2), ada = key_of(3), lee = key_of(4), ada_second = key_of(5),
                    stranger = key_of(6), neighbour = key_of(7), unscoped = key_of(8), ana = key_of(9),
                    publisher = key_of(10), second_appliance = key_of(11);
  int policy_version = 3, threshold = 2;
  canon::Json roles = {{"safety", 1}};
  canon::Json revoked = canon::Json::array();
  bool requester_may = false;
  std::string run = "run:plant-7:20261123T165433120Z", tenant = "plant-7", gate = "review",
              request_id = std::string(32, 'a'), nonce = std::string(64, 'b');
  int attempt = 1;
  std::string home_mark = canon::sha256(std::string_view("home")).tagged();
  canon::Json require = canon::Json::array();
  canon::Json more = canon::Json::object();  // members that the policy has besides
  std::string appliance_id = "apl-hall3";
  std::optional<std::string> supersedes;
  approval::Witnessed state = {7, std::string(64, 'd'), {}, {}, {}};
  const char* issued_at = "2026-11-23T16:54:33Z";
  canon::Json inputs = {{"cell", "c-12"}};
  std::vector<canon::Digest> leaves = {canon::merkle_leaf("one"), canon::merkle_leaf("two")};

  static canon::Json person(const std::string& name, const std::vector<const trust::PrivateKey*>& keys,
                            const std::vector<std::string>& scopes, const std::vector<std::string>& held_roles) {
    canon::Json lines = canon::Json::array();
    for (const auto* key : keys) lines.push_back(key->public_key().line());
    return {{"name", name}, {"keys", lines}, {"scopes", scopes}, {"roles", held_roles}};
  }

  [[nodiscard]] std::string policy_text() const {
    const std::vector<std::string> scope = {"packs.approve"}, none;
    const canon::Json approvers = {person("Ada Obi", {&ada, &ada_second}, scope, {"safety"}),
                                   person("Lee Park", {&lee}, scope, none), person("Uma Roth", {&unscoped}, none, none),
                                   person("Ana Ortiz", {&ana}, scope, none)};
    const canon::Json plant7 = {{"name", "plant-7"},
                                {"operators", canon::Json::array({{{"name", "Ana Ortiz"}, {"user", "ana"}}})},
                                {"approvers", approvers}};
    const canon::Json plant8 = {{"name", "plant-8"},
                                {"operators", canon::Json::array({{{"name", "Bo Lind"}, {"user", "bo"}}})},
                                {"approvers", canon::Json::array({person("Nia Berg", {&neighbour}, scope, none)})}};
    canon::Json policy = {
        {"schema", "stella.site.v1"},
        {"site", "plant-7"},
        {"version", policy_version},
        {"mode", "sealed"},
        {"admins", {{"threshold", 1}, {"keys", canon::Json::array({admin.public_key().line()})}}},
        {"appliances", canon::Json::array({{{"id", "apl-hall3"}, {"key", appliance.public_key().line()}}})},
        {"revoked", revoked},
        {"approvals", {{"allowRequesterToApprove", requester_may}, {"require", require}}},
        {"tenants", canon::Json::array({plant7, plant8})}};
    policy.update(more);
    return canon::canonical(policy);
  }
  [[nodiscard]] site::Policy policy() const { return site::parse_policy(policy_text(), "policy"); }

  canon::Json steps = canon::Json::array();  // empty: a check, the gate, and two steps behind it
  std::vector<std::string> gates;            // of the plan; empty: `gate`

  [[nodiscard]] canon::Json plan() const {
    const auto run_step = [](const char* id, const canon::Json& needs, const char* command) {
      return canon::Json{{"id", id}, {"kind", "run"}, {"needs", needs}, {"command", canon::Json::array({command})}};
    };
    const canon::Json none = canon::Json::array();
    const canon::Json usual = canon::Json::array(
        {run_step("check", none, "./steps/check.sh"),
         {{"id", "security"}, {"kind", "gate.approval"}, {"approval", gate}, {"needs", canon::Json::array({"check"})}},
         run_step("flash", canon::Json::array({"check", "security"}), "./steps/flash.sh"),
         run_step("report", canon::Json::array({"flash"}), "./steps/report.sh")});
    canon::Json approvals = canon::Json::array();
    for (const std::string& id : gates.empty() ? std::vector<std::string>{gate} : gates)
      approvals.push_back({{"id", id},
                           {"threshold", threshold},
                           {"roles", roles},
                           {"expiresAfter", "PT30M"},
                           {"message", "Flash cell c-12"}});
    return {
        {"schema", "stella.plan.v1"},
        {"tenant", tenant},
        {"mode", "sealed"},
        {"runtime", "host"},
        {"inputs", inputs},
        {"pack",
         {{"name", "firmware-rollout"},
          {"version", "1.4.0"},
          {"digest", canon::sha256(std::string_view("pack")).tagged()}}},
        {"steps", steps.empty() ? usual : steps},
        {"approvals", approvals},
        {"secrets", canon::Json::array(
                        {{{"name", "plc-token"}, {"scope", "firmware"}, {"steps", canon::Json::array({"flash"})}}})},
        {"network",
         {{"asked", none},
          {"refused", none},
          {"allowed",
           canon::Json::array({{{"host", "historian.plant.example"}, {"address", "10.1.2.3"}, {"port", 443}}})}}}};
  }

  [[nodiscard]] approval::Draft draft() const {
    approval::Draft made;
    approval::Asked& asked = made.asked;
    asked.request_id = request_id;
    asked.nonce = nonce;
    asked.appliance = appliance_id;
    asked.home_kind = "personal";
    asked.home_mark = home_mark;
    asked.supersedes = supersedes;
    asked.tenant = tenant;
    asked.run = run;
    asked.attempt = attempt;
    asked.requested_by = "Ana Ortiz";
    asked.requesters = {"Ana Ortiz"};
    asked.pack_name = "firmware-rollout";
    asked.pack_version = "1.4.0";
    asked.pack_digest = canon::sha256(std::string_view("pack"));
    asked.publishers = {{"OT Tools", std::string(64, 'c')}};
    asked.gate = gate;
    asked.threshold = threshold;
    for (const auto& [role, least] : roles.items()) asked.roles[role] = least;
    asked.stella_version = "0.1.0";
    asked.secrets = {{"plc-token", "firmware", 3}};
    asked.steps_done = {{"check", "succeeded", 0, canon::sha256(std::string_view("log"))}};
    asked.state = state;
    asked.issued_at = time_of(issued_at);
    asked.expires_at = time_of("2026-11-23T17:24:33Z");
    made.plan = canon::canonical(plan());
    made.site = dsse::serialise(dsse::sign(dsse::kSiteType, policy_text(), admin));
    const std::string origin = approval::ledger_origin(appliance_id, tenant);
    made.checkpoint = checkpoint::sign({origin, static_cast<std::int64_t>(leaves.size()), canon::merkle_root(leaves)},
                                       origin, appliance);
    made.leaves = leaves;
    return made;
  }
  [[nodiscard]] approval::Request make() const { return approval::make_request(draft(), appliance); }

  [[nodiscard]] static std::string answer(const approval::Request& request, const trust::PrivateKey& key,
                                          const std::string& name,
                                          approval::Decision decision = approval::Decision::approved) {
    return approval::make_response(request, {decision, "Looks right", name, time_of("2026-11-23T17:00:00Z")}, key);
  }
};

// The code and reason that `act` is refused with, as `ERR_X reason`; `none` when it is not.
template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "none";
}

}  // namespace stella::testing
