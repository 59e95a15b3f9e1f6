// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/plan_view.hpp"

#include <algorithm>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

constexpr auto kCode = fault::Code::approval_malformed;
constexpr const char* kReason = "plan";

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

PlanStep step(const canon::Json& node, const std::string& at) {
  canon::Fields fields(node, kCode, kReason, at);
  PlanStep read{fields.text("id"), fields.text("kind"), {}, {}, node};
  if (const auto approval = fields.maybe_text("approval")) read.gate = *approval;
  if (fields.has("needs")) read.needs = fields.texts("needs");
  if (read.kind == "gate.approval" && read.gate.empty()) fields.fail("a gate.approval names its approval", "approval");
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

// A step may need only steps that stand before it, so that walking forwards is enough to see everything that waits.
void require_order(const PlanView& view, const std::string& at) {
  std::set<std::string> seen, gates;
  for (const PlanGate& each : view.gates)
    if (!gates.insert(each.id).second)
      throw fault::Error(kCode, kReason, "approval " + canon::printable(each.id) + " stands twice in the plan", at);
  for (const PlanStep& each : view.steps) {
    for (const std::string& needed : each.needs)
      if (!seen.contains(needed))
        throw fault::Error(kCode, kReason,
                           "step " + canon::printable(each.id) + " needs " + canon::printable(needed) +
                               ", which does not stand before it",
                           at);
    if (!seen.insert(each.id).second)
      throw fault::Error(kCode, kReason, "step " + canon::printable(each.id) + " stands twice in the plan", at);
    if (!each.gate.empty() && !gates.contains(each.gate))
      throw fault::Error(kCode, kReason,
                         "step " + canon::printable(each.id) + " waits for an approval that the plan does not list",
                         at);
  }
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
  for (const canon::Json& node : top.array("steps")) view.steps.push_back(step(node, at + ".steps"));
  for (const canon::Json& node : top.array("approvals")) view.gates.push_back(gate(node, at + ".approvals"));
  for (const canon::Json& node : top.array("secrets")) view.secrets.push_back(secret(node, at + ".secrets"));
  canon::Fields network(top.object("network"), kCode, kReason, at + ".network");
  for (const canon::Json& node : network.array("allowed"))
    view.allowed.push_back(endpoint(node, at + ".network.allowed"));
  require_order(view, at);
  return view;
}

const PlanGate* PlanView::find_gate(const std::string& id) const {
  const auto found = std::ranges::find(gates, id, &PlanGate::id);
  return found == gates.end() ? nullptr : &*found;
}

std::vector<std::string> PlanView::behind(const std::string& gate_id) const {
  std::set<std::string> waiting;
  std::vector<std::string> behind;
  for (const PlanStep& each : steps) {
    const bool waits =
        std::ranges::any_of(each.needs, [&](const std::string& needed) { return waiting.contains(needed); });
    if (waits) behind.push_back(each.id);
    if (waits || (!each.gate.empty() && each.gate == gate_id)) waiting.insert(each.id);
  }
  return behind;
}

std::vector<std::string> PlanView::released_by(const std::string& gate_id) const {
  const std::vector<std::string> waiting = behind(gate_id);
  std::set<std::string> held;  // what a later gate keeps
  for (const PlanGate& other : gates) {
    if (other.id == gate_id) continue;
    const bool later = std::ranges::any_of(steps, [&](const PlanStep& each) {
      return each.gate == other.id && std::ranges::find(waiting, each.id) != waiting.end();
    });
    if (!later) continue;
    for (const std::string& id : behind(other.id)) held.insert(id);
  }
  std::vector<std::string> released;
  for (const std::string& id : waiting)
    if (!held.contains(id)) released.push_back(id);
  return released;
}

}  // namespace stella::approval
