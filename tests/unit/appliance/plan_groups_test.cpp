// SPDX-License-Identifier: Apache-2.0
// Groups, turns and finally in plans: what is written at plan time, what the run makes, and what expressions see.
#include <gtest/gtest.h>

#include <map>

#include "appliance/plan/plan.hpp"

namespace stella::plan {
namespace {

const std::string kHead =
    "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: demo, version: 1.0.0}\nspec:\n"
    "  inputs: [{name: hosts, type: array}, {name: dry, type: boolean, default: false}]\n"
    "  approvals: [{id: go}]\n  secrets: [{name: key, scope: x}]\n";

Plan plan_of(const std::string& steps, const canon::Json& inputs = {{"hosts", {"a", "b"}}},
             const site::Policy* policy = nullptr) {
  const pack::Manifest manifest = pack::parse_manifest(kHead + steps, "pack.yaml");
  const pack::Inputs read = pack::read_inputs(manifest, pack::InputsFile{"in.json", canon::canonical(inputs)},
                                              [](const auto&) { return std::nullopt; });
  return make({.manifest = manifest, .pack_digest = {}, .inputs = read, .policy = policy, .tenant = "t"});
}

std::string ids(const std::vector<Step>& steps) {
  std::string all;
  for (const Step& step : steps) all += (all.empty() ? "" : " ") + step.id;
  return all;
}

const Step& step(const Plan& plan, const std::string& id) {
  for (const Step& each : plan.steps)
    if (each.id == id) return each;
  throw std::runtime_error("no step " + id);
}

const std::string kMap = R"(  steps:
    - {id: list, run: {script: x}}
    - id: flash
      map: {items: ITEMS, iterator: host, index: n, steps: [{id: one, run: {command: [flash, "${{ host }}-${{ n }}"], secrets: [key]}}, {id: gate, gate.approval: {approval: go}}, {id: two, run: {command: [x, "${{ steps.one.outputs.v }}"]}}]}
    - {id: after, run: {script: x}}
)";
std::string map_over(const std::string& items) {
  std::string text = kMap;
  return text.replace(text.find("ITEMS"), 5, items);
}

TEST(PlanGroups, AMapOverKnownItemsStandsInThePlan) {
  const Plan plan = plan_of(map_over("\"${{ inputs.hosts }}\""));
  EXPECT_EQ(ids(plan.steps),
            "list flash flash[0] flash[0]::one flash[0]::gate flash[0]::two flash[1] flash[1]::one flash[1]::gate "
            "flash[1]::two after");
  EXPECT_FALSE(step(plan, "flash").dynamic);
  EXPECT_EQ(step(plan, "flash[1]::one").command[1].text, "b-1");
  EXPECT_FALSE(step(plan, "flash[1]::one").command[1].open);
  EXPECT_TRUE(step(plan, "flash[1]::two").command[1].open);
  EXPECT_EQ(step(plan, "flash[1]::gate").gate.id, "flash[1]::go");
  EXPECT_EQ(step(plan, "flash[1]::two").needs, std::vector<std::string>{"flash[1]::gate"});
  EXPECT_EQ(step(plan, "flash[1]::two").parent, "flash[1]");
  EXPECT_EQ(step(plan, "flash[1]").turn->item, "b");
  EXPECT_EQ(plan.document["secrets"][0]["steps"], canon::Json::array({"flash[*]::one"}));
}

TEST(PlanGroups, ATurnThatTheRunMakesIsTheOneThatThePlanWouldHold) {
  const Plan known = plan_of(map_over("\"${{ inputs.hosts }}\""));
  const Plan later = plan_of(map_over("\"${{ steps.list.outputs.hosts }}\""));
  const Step& group = step(later, "flash");
  ASSERT_TRUE(group.dynamic);
  EXPECT_EQ(ids(later.steps), "list flash after");
  EXPECT_EQ(group.max_turns, 1000);
  const auto made = instantiate(later, group, 1, "b");
  EXPECT_EQ(ids(made), "flash[1] flash[1]::one flash[1]::gate flash[1]::two");
  for (const Step& each : made) {
    EXPECT_EQ(each.digest, step(known, each.id).digest) << each.id;
    EXPECT_EQ(each.gate.id, step(known, each.id).gate.id);
  }
  const Plan again = parse(later.bytes, fault::Code::pack_invalid, "plan.json");
  EXPECT_EQ(instantiate(again, step(again, "flash"), 1, "b").at(1).digest, made.at(1).digest);
}

TEST(PlanGroups, ReadsBackWhatItWrote) {
  const Plan plan = plan_of(R"(  maxParallel: 2
  steps:
    - {id: p, timeout: PT1H, continueOnError: true, parallel: {maxParallel: 2, failFast: true, maxFailures: 10%, steps: [{id: a, run: {script: x}}, {id: b, run: {script: x}}]}}
    - {id: l, loop: {static: [x, y], delay: 2s, until: "steps.q.outputs.ok", steps: [{id: q, run: {script: x}}]}}
    - {id: c, conditional: {cases: [{when: steps.a.exit, steps: [{id: y, run: {script: x}}]}], else: [{id: z, run: {script: x}}]}}
    - id: outer
      map: {items: "${{ steps.a.outputs.x }}", iterator: o, steps: [{id: inner, map: {items: [1, 2], steps: [{id: i, run: {command: [x, "${{ o }}${{ item }}"]}}]}}]}
  finally: [{id: f, run: {script: x}}]
)");
  const Plan again = parse(plan.bytes, fault::Code::pack_invalid, "plan.json");
  ASSERT_EQ(ids(again.steps), ids(plan.steps));
  for (std::size_t i = 0; i < plan.steps.size(); ++i) EXPECT_EQ(again.steps[i].digest, plan.steps[i].digest);
  EXPECT_EQ(again.max_parallel, 2);
  EXPECT_TRUE(step(again, "p").needs.empty() && step(again, "b").needs.empty());
  EXPECT_TRUE(step(again, "p").max_failures.percent);
  EXPECT_EQ(step(again, "l[1]").needs, std::vector<std::string>{"l[0]"});
  EXPECT_EQ(step(again, "l").delay, std::chrono::seconds(2));
  EXPECT_EQ(step(again, "z").branch, 1);
  EXPECT_TRUE(step(again, "f").at_end);
  const auto made = instantiate(again, step(again, "outer"), 0, "A");
  EXPECT_EQ(
      ids(made),
      "outer[0] outer[0]::inner outer[0]::inner[0] outer[0]::inner[0]::i outer[0]::inner[1] outer[0]::inner[1]::i");
  EXPECT_EQ(made.back().command[1].text, "A2");
}

TEST(PlanGroups, SkipsWhatCannotHold) {
  const Plan plan = plan_of(R"(  steps:
    - {id: p, when: inputs.dry, parallel: {steps: [{id: a, run: {script: x}}]}}
    - {id: m, when: inputs.dry, map: {items: "${{ inputs.hosts }}", steps: [{id: one, run: {script: x}}]}}
    - {id: c, conditional: {cases: [{when: inputs.dry, steps: [{id: y, run: {script: x}}]}, {when: "inputs.dry == `false`", steps: [{id: n, run: {script: x}}]}], else: [{id: z, run: {script: x}}]}}
)");
  const canon::Json classes = simulation(plan)["classes"];
  EXPECT_EQ(classes, (canon::Json{{"p", "skipped"},
                                  {"a", "skipped"},
                                  {"m", "skipped"},
                                  {"c", "pending"},
                                  {"y", "skipped"},
                                  {"n", "pending"},
                                  {"z", "skipped"}}));
}

TEST(PlanGroups, RefusesItemsThatAreNone) {
  const auto reason = [](const canon::Json& hosts) {
    try {
      (void)plan_of(
          "  steps: [{id: m, map: {items: '${{ inputs.hosts }}', maxItems: 1, steps: [{id: a, run: {script: x}}]}}]",
          {{"hosts", hosts}});
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return std::string("none");
  };
  EXPECT_EQ(reason(canon::Json::array({1, 2})), "turns");
  EXPECT_EQ(reason(canon::Json::array({1})), "none");
}

TEST(PlanGroups, ExpressionsSeeTheirOwnTurnFirst) {
  const Plan plan = plan_of(map_over("\"${{ inputs.hosts }}\""));
  std::map<std::string, StepResult> results;
  results["flash[0]::one"].outputs = {{"v", "zero"}};
  results["flash[1]::one"].outputs = {{"v", "one"}};
  View view;
  view.find = [&](const std::string& id) -> const Step* {
    for (const Step& each : plan.steps)
      if (each.id == id) return &each;
    return nullptr;
  };
  view.members = [&](const std::string& id) {
    std::vector<std::string> members;
    for (const Step& each : plan.steps)
      if (each.parent == id) members.push_back(each.id);
    return members;
  };
  view.result = [&](const std::string& id) { return results[id]; };
  view.approvers = [](const std::string& gate) {
    return gate == "flash[1]::go" ? std::vector<std::string>{"Ada"} : std::vector<std::string>{};
  };
  EXPECT_EQ(resolve(plan, view, step(plan, "flash[1]::two")).argv[1], "one");
  EXPECT_TRUE(
      holds("approvals.go.approvers[0] == 'Ada' && host == 'b' && n == `1`", plan, view, step(plan, "flash[1]::two")));
  EXPECT_TRUE(holds("steps.one.outputs.v == 'zero'", plan, view, step(plan, "flash[0]")));
  EXPECT_TRUE(holds("steps.flash.items[1].steps.one.outputs.v == 'one'", plan, view, step(plan, "after")));
}

TEST(PlanGroups, TheSitesGateHoldsWhatRunsAtTheEnd) {
  site::Policy policy;
  trust::PublicKey key;
  key.raw[0] = 1;
  policy.tenants = {{"t", {}, {}, {{"Ada", {{key, false}}, {"packs.approve"}, {}}}}};
  policy.require = {{{"demo"}, 1, {}}};
  const Plan plan = plan_of(
      "  steps: [{id: c, conditional: {cases: [{when: inputs.hosts, steps: [{id: g, gate.approval: {approval: go}}, "
      "{id: a, "
      "run: {script: x}}]}]}}]\n  finally: [{id: f, run: {script: x}}]",
      {{"hosts", {"a"}}}, &policy);
  EXPECT_EQ(plan.steps.at(0).id, "site");
  EXPECT_EQ(step(plan, "c").needs, std::vector<std::string>{"site"});
  EXPECT_EQ(step(plan, "f").needs, std::vector<std::string>{"site"});
  const Plan sure = plan_of(
      "  steps: [{id: p, parallel: {steps: [{id: g, gate.approval: {approval: go}}]}}, {id: a, run: {script: x}}]",
      {{"hosts", {"a"}}}, &policy);
  EXPECT_EQ(sure.steps.at(0).id, "p");
}

TEST(PlanGroups, TheHashDoesNotDependOnTheOrderOfKeys) {
  const Plan one = plan_of(
      "  steps: [{id: m, map: {items: [{a: 1, b: 2}], iterator: i, steps: [{id: x, run: {script: y, env: {A: a, B: "
      "b}}}]}}]");
  const Plan two = plan_of(
      "  steps: [{map: {steps: [{run: {env: {B: b, A: a}, script: y}, id: x}], iterator: i, items: [{b: 2, a: 1}]}, "
      "id: m}]");
  EXPECT_EQ(one.hash, two.hash);
}

}  // namespace
}  // namespace stella::plan
