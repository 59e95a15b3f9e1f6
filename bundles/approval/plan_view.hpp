// SPDX-License-Identifier: Apache-2.0
// What an approver's or auditor's machine reads out of a plan's bytes. It trusts no summary: everything that is shown
// and counted comes from here. Reads only `stella.plan.v1` (contract section 7). Any thread.
//
// Errors: ERR_APPROVAL_MALFORMED, reason `plan`, for bytes that are not RFC 8785 or lack what a plan must have.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/approval/step_graph.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"

namespace stella::approval {

struct PlanEndpoint {
  std::string host, address;
  int port = 0;
  auto operator<=>(const PlanEndpoint&) const = default;
};
struct PlanSecret {
  std::string name, scope;
  std::vector<std::string> steps;
};
struct PlanGate {
  std::string id;
  int threshold = 1;
  std::map<std::string, int> roles;
};
struct PlanStep {
  std::string id, kind;  // run, gate.approval, gate.policy, parallel, map, loop, conditional, item
  std::string gate;      // what --gate names, of a gate.approval; of a template with `[*]` for the turns
  std::string parent;    // the group or turn it stands in
  std::vector<std::string> needs;
  canon::Json node;            // as it stands in the plan
  std::vector<PlanStep> body;  // templates of a map's or loop's turns, when only the run knows the items
};

// The order of a plan's steps, with the turns that only the run made where they were asked for.
struct Order {
  StepGraph graph;
  std::map<std::string, std::string> gates;                    // gate -> the step that holds it
  std::vector<std::pair<std::string, const PlanStep*>> steps;  // what the plan says of each; null: a made turn
};

struct PlanView {
  canon::Json document;
  canon::Digest hash;
  std::string pack_name, pack_version, tenant, mode;
  canon::Digest pack_digest;
  std::vector<PlanStep> steps;
  std::vector<PlanGate> gates;
  std::vector<PlanSecret> secrets;
  std::vector<PlanEndpoint> allowed;
  bool host_programs = false;  // runtime: "host"

  // A made turn's gate too: flash[3]::review is what the plan lists as flash[*]::review.
  [[nodiscard]] const PlanGate* find_gate(const std::string& id) const;
  // `mentioned`: ids of steps or gates; the turns that they lie in are made, a loop's with all turns before them.
  // Throws for a turn beyond the bound that the plan sets.
  [[nodiscard]] Order order(const std::vector<std::string>& mentioned) const;
  // Steps that may start once this gate is open: they need it, directly or through others, and wait for no later gate.
  [[nodiscard]] std::vector<std::string> released_by(const std::string& gate) const;
  // Steps that wait for this gate, directly or through others, later gates' included.
  [[nodiscard]] std::vector<std::string> behind(const std::string& gate) const;
};
[[nodiscard]] PlanView read_plan(std::string_view bytes, const std::string& at);

}  // namespace stella::approval
