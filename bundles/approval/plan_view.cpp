// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/plan_view.hpp"

#include <set>
#include <unordered_map>

#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

constexpr auto kCode = fault::Code::approval_malformed;
constexpr const char* kReason = "plan";
constexpr int kMaxLevels = 32;
constexpr std::size_t kMaxSteps = 200000;

PlanEndpoint endpoint(const canon::Json& node, const std::string& at) {
  canon::Fields fields(node, kCode, kReason, at);
  return {fields.text("host"), fields.text("address"), static_cast<int>(fields.integer("port", 1, 65535))};
}

PlanSecret secret(const canon::Json& node, const std::string& at) {
  canon::Fields fields(node, kCode, kReason, at);
  return {fields.text("name"), fields.text("scope"), fields.texts("steps")};
}

PlanGate gate(const canon::Json& node, const std::string& at) {
  canon::Fields fields(node, kCode, kReason, at);
  PlanGate read{fields.text("id"), static_cast<int>(fields.integer("threshold", 1, 1000)), {}};
  const canon::Json* roles = fields.maybe("roles");
  if (roles == nullptr) return read;
  if (!roles->is_object()) fields.fail("must be an object", "roles");
  for (const auto& [role, count] : roles->items()) {
    canon::Fields each(*roles, kCode, kReason, at + ".roles");
    read.roles[role] = static_cast<int>(each.integer(role, 1, 1000));
  }
  return read;
}

PlanStep step(const canon::Json& node, const std::string& at, int level = 0) {
  canon::Fields fields(node, kCode, kReason, at);
  PlanStep read{fields.text("id"), fields.text("kind"), {}, {}, {}, node, {}};
  if (const auto approval = fields.maybe_text("approval")) read.gate = *approval;
  if (const auto parent = fields.maybe_text("in")) read.parent = *parent;
  if (fields.has("needs")) read.needs = fields.texts("needs");
  if (read.kind == "gate.approval" && read.gate.empty()) fields.fail("a gate.approval names its approval", "approval");
  if (!fields.has("steps")) return read;
  if (level > kMaxLevels) fields.fail("is nested too deep", "steps");
  for (const canon::Json& each : fields.array("steps")) read.body.push_back(step(each, at + ".steps", level + 1));
  return read;
}

void read_head(PlanView& view, canon::Fields& top, const std::string& at) {
  if (top.text("schema") != "stella.plan.v1") top.fail("is not stella.plan.v1", "schema");
  view.tenant = top.text("tenant");
  view.mode = top.text("mode");
  canon::Fields pack(top.object("pack"), kCode, kReason, at + ".pack");
  view.pack_name = pack.text("name");
  view.pack_version = pack.text("version");
  view.pack_digest = canon::parse_digest(pack.text("digest"), kCode, at + ".pack.digest");
  const canon::Json& runtime = top.any("runtime");
  view.host_programs = runtime.is_string() && runtime == "host";
}

[[noreturn]] void refuse(const std::string& what, const std::string& at) {
  throw fault::Error(kCode, kReason, what, at);
}

// A step stands behind its group and what it needs. `seen`: ids of the list so far, with their parents.
void require_order(const std::vector<PlanStep>& steps, const std::set<std::string>& gates, const std::string& at) {
  std::unordered_map<std::string, std::string> seen;
  for (const PlanStep& each : steps) {
    for (const std::string& needed : each.needs) {
      const auto found = seen.find(needed);
      if (found == seen.end() || found->second != each.parent)
        refuse("step " + canon::printable(each.id) + " needs " + canon::printable(needed) +
                   ", which does not stand before it in its list",
               at);
    }
    if (!each.parent.empty() && !seen.contains(each.parent))
      refuse("step " + canon::printable(each.id) + " stands in a group that does not stand before it", at);
    if (!seen.emplace(each.id, each.parent).second)
      refuse("step " + canon::printable(each.id) + " stands twice in the plan", at);
    if (!each.gate.empty() && !gates.contains(each.gate))
      refuse("step " + canon::printable(each.id) + " waits for an approval that the plan does not list", at);
    require_order(each.body, gates, at);
  }
}

void require_order(const PlanView& view, const std::string& at) {
  std::set<std::string> gates;
  for (const PlanGate& each : view.gates)
    if (!gates.insert(each.id).second)
      refuse("approval " + canon::printable(each.id) + " stands twice in the plan", at);
  require_order(view.steps, gates, at);
}

}  // namespace

PlanView read_plan(std::string_view bytes, const std::string& at) {
  PlanView view;
  view.document = canon::parse_json(bytes, kCode, at, std::size_t{16} << 20, canon::kMaxPlanValues);
  // Two texts of one plan would be two hashes of one plan.
  if (canon::canonical(view.document) != bytes)
    throw fault::Error(kCode, kReason, "the plan is not in RFC 8785 form", at);
  view.hash = canon::sha256(bytes);
  canon::Fields top(view.document, kCode, kReason, at);
  read_head(view, top, at);
  for (const canon::Json& node : top.array("steps", kMaxSteps)) view.steps.push_back(step(node, at + ".steps"));
  for (const canon::Json& node : top.array("approvals", kMaxSteps)) view.gates.push_back(gate(node, at + ".approvals"));
  for (const canon::Json& node : top.array("secrets")) view.secrets.push_back(secret(node, at + ".secrets"));
  canon::Fields network(top.object("network"), kCode, kReason, at + ".network");
  for (const canon::Json& node : network.array("allowed"))
    view.allowed.push_back(endpoint(node, at + ".network.allowed"));
  require_order(view, at);
  return view;
}

}  // namespace stella::approval
