// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/plan.hpp"

#include <gtest/gtest.h>

#include "appliance/plan/diff.hpp"

namespace stella::plan {
namespace {

constexpr const char* kPack = R"(apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: {name: firmware-x, version: 1.0.0}
spec:
  inputs:
    - {name: cell, type: string, required: true}
    - {name: dryRun, type: boolean, default: false}
  secrets: [{name: token, scope: firmware}]
  approvals: [{id: review, threshold: 1, message: "Flash ${{ inputs.cell }}"}]
  network: [{host: h.example, port: 443}, {host: i.example, port: 80}]
  steps:
    - {id: check, run: {command: [./steps/check.sh, "${{ inputs.cell }}"]}, network: []}
    - {id: gate, gate.approval: {approval: review}}
    - {id: window, gate.policy: {expression: "steps.check.outputs.ready == 'yes'"}}
    - {id: dry, when: inputs.dryRun, run: {command: [echo, dry]}}
    - {id: flash, onCrash: rerun, run: {script: "flash", env: {READY: "${{ steps.check.outputs.ready }} ${{ inputs.cell }}"}, secrets: [token]}}
  outputs: [{name: report, path: report.json}]
)";

site::Policy policy() {
  site::Policy made;
  made.allow = {{.host = "h.example", .addresses = {"10.0.0.1"}, .port = 443, .packs = {}, .reason = ""}};
  site::Tenant tenant{"plant-7", {}, {}, {}};
  for (std::uint8_t i = 1; i <= 2; ++i) {
    trust::PublicKey key;
    key.raw[0] = i;
    tenant.approvers.push_back({"Person " + std::to_string(i),
                                {{key, false}},
                                {"packs.approve"},
                                i == 1 ? std::vector<std::string>{"safety"} : std::vector<std::string>{}});
  }
  made.tenants = {tenant};
  return made;
}

struct Given {
  pack::Manifest manifest = pack::parse_manifest(kPack, "pack.yaml");
  canon::Json inputs = {{"cell", "hall-3"}};
  std::optional<site::Policy> site = policy();
  std::string tenant = "plant-7";
  [[nodiscard]] Plan make() const {
    const pack::Inputs read = pack::read_inputs(manifest, pack::InputsFile{"in.json", canon::canonical(inputs)},
                                                [](const auto&) { return std::nullopt; });
    return plan::make({.manifest = manifest,
                       .pack_digest = canon::sha256(std::string_view("pack")),
                       .inputs = read,
                       .policy = site ? &*site : nullptr,
                       .tenant = tenant});
  }
  [[nodiscard]] std::string refused(fault::Code code) const {
    try {
      (void)make();
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.reason();
    }
    ADD_FAILURE() << "was planned";
    return {};
  }
};

TEST(Plan, PinsTheRuntimeImageByItsDigest) {
  Given given;
  const canon::Digest digest = canon::sha256(std::string_view("manifest"));
  given.manifest.runtime = pack::Runtime{"tools", digest};
  const Plan plan = given.make();
  EXPECT_EQ(plan.document["runtime"], (canon::Json{{"image", "tools"}, {"digest", digest.tagged()}}));
  EXPECT_EQ(plan.runtime, given.manifest.runtime);
  EXPECT_NE(plan.hash, Given{}.make().hash);
  EXPECT_EQ(parse(plan.bytes, fault::Code::pack_invalid, "plan").runtime, given.manifest.runtime);
}

TEST(Plan, HasWhatTheContractSays) {
  const Plan plan = Given{}.make();
  EXPECT_EQ(plan.document["schema"], "stella.plan.v1");
  EXPECT_EQ(plan.document["runtime"], "host");
  EXPECT_EQ(plan.hash, canon::sha256(plan.bytes));
  EXPECT_EQ(plan.inputs, (canon::Json{{"cell", "hall-3"}, {"dryRun", false}}));
  EXPECT_EQ(plan.document["secrets"][0]["steps"], canon::Json::array({"flash"}));
  EXPECT_EQ(plan.document["network"]["refused"][0]["host"], "i.example");
  EXPECT_EQ(plan.allowed, (std::vector<Endpoint>{{"h.example", "10.0.0.1", 443}}));
  EXPECT_TRUE(plan.steps[0].network.empty());
  EXPECT_EQ(plan.steps[4].network.size(), 1U);
  EXPECT_EQ(plan.steps[1].gate.message, "Flash hall-3");
  std::vector<std::string> classes;
  for (const Step& step : plan.steps) classes.push_back(step.step_class);
  EXPECT_EQ(classes,
            (std::vector<std::string>{"pending", "requires-approval", "requires-policy", "skipped", "pending"}));
}

TEST(Plan, NamesTheStepsThatAStepWaitsFor) {
  const Plan plan = Given{}.make();
  EXPECT_TRUE(plan.steps[0].needs.empty());
  EXPECT_EQ(plan.steps[4].needs, std::vector<std::string>{"dry"});
}

TEST(Plan, FillsInInputsAndKeepsWhatOnlyTheRunKnows) {
  const Plan plan = Given{}.make();
  EXPECT_EQ(plan.steps[0].command[0].text, "/pack/steps/check.sh");
  EXPECT_EQ(plan.steps[0].command[1].text, "hall-3");
  EXPECT_FALSE(plan.steps[0].command[1].open);
  EXPECT_TRUE(plan.steps[4].env.at("READY").open);
  Progress progress{
      .run_id = "run:x", .attempt = 1, .steps = {{"check", {"succeeded", 0, {{"ready", "yes"}}}}}, .approvals = {}};
  const Resolved resolved = resolve(plan.steps[4], context(plan, progress));
  EXPECT_EQ(resolved.argv, (std::vector<std::string>{"/bin/sh", "-eu", "-c", "flash"}));
  EXPECT_EQ(resolved.env.at("READY"), "yes hall-3");
  EXPECT_TRUE(holds(plan.steps[2].expression, context(plan, progress)));
  EXPECT_FALSE(holds(plan.steps[2].expression, context(plan, {})));
}

TEST(Plan, NeverReadsAnInputAsATemplate) {
  Given given;
  given.inputs["cell"] = "${{ run.id }}";
  const Plan plan = given.make();
  EXPECT_FALSE(plan.steps[0].command[1].open);
  EXPECT_EQ(
      resolve(plan.steps[0], context(plan, {.run_id = "run:x", .attempt = 1, .steps = {}, .approvals = {}})).argv[1],
      "${{ run.id }}");
}

TEST(Plan, RefusesAnInputThatNoArgumentCanHold) {
  Given given;
  given.inputs["cell"] = std::string("a\0b", 3);
  EXPECT_EQ(given.refused(fault::Code::pack_inputs), "nul");
  given.inputs["cell"] = std::string(200000, 'x');
  EXPECT_EQ(given.refused(fault::Code::pack_inputs), "size");
}

TEST(Plan, IsTheSameForTheSameEffectsOfAnotherPolicy) {
  Given given;
  const auto first = given.make().hash;
  given.site->version = 9;
  given.site->allow.push_back({.host = "z.example", .addresses = {"10.0.0.9"}, .port = 1, .packs = {}, .reason = ""});
  EXPECT_EQ(given.make().hash, first);
  given.site->allow[0].addresses = {"10.0.0.2"};
  EXPECT_NE(given.make().hash, first);
}

TEST(Plan, IsReadBackFromItsBytesOnly) {
  const Plan plan = Given{}.make();
  const Plan again = parse(plan.bytes, fault::Code::pack_hash_mismatch, "plan.json");
  EXPECT_EQ(again.hash, plan.hash);
  EXPECT_EQ(again.steps[4].digest, plan.steps[4].digest);
  EXPECT_EQ(again.steps[4].secrets[0].scope, "firmware");
  for (const std::string& broken : {plan.bytes + "\n", std::string("{}"), plan.bytes.substr(1), std::string("[]")})
    EXPECT_THROW((void)parse(broken, fault::Code::pack_hash_mismatch, "plan.json"), fault::Error);
}

TEST(Floor, RaisesThePacksGates) {
  Given given;
  given.site->require = {{{"firmware-*"}, 2, {{"safety", 1}}}};
  const Plan plan = given.make();
  EXPECT_EQ(plan.steps[1].gate.threshold, 2);
  EXPECT_EQ(plan.steps[1].gate.roles.at("safety"), 1);
  EXPECT_EQ(plan.document["approvals"][0]["threshold"], 2);
}

TEST(Floor, PutsAGateBeforeAPackThatHasNone) {
  Given given;
  given.manifest.steps.erase(given.manifest.steps.begin() + 1);
  given.site->require = {{{"firmware-*"}, 2, {}}};
  const Plan plan = given.make();
  EXPECT_EQ(plan.steps[0].id, "site");
  EXPECT_EQ(plan.steps[0].gate.threshold, 2);
  EXPECT_EQ(plan.steps[1].needs, std::vector<std::string>{"site"});
}

TEST(Floor, DoesNotCountAGateThatMayBeSkipped) {
  for (const char* when : {"inputs.dryRun", "steps.check.outputs.gate == 'yes'"}) {
    Given given;
    given.manifest.steps[1].when = when;
    given.site->require = {{{"firmware-*"}, 1, {}}};
    EXPECT_EQ(given.make().steps[0].id, "site") << when;
  }
}

TEST(Floor, DoesNotCountAGateThatNoWorkWaitsFor) {
  Given given;
  for (pack::Step& step : given.manifest.steps) step.needs = std::vector<std::string>{};
  given.site->require = {{{"firmware-*"}, 1, {}}};
  const Plan plan = given.make();
  EXPECT_EQ(plan.steps[0].id, "site");
  for (std::size_t i = 1; i < plan.steps.size(); ++i) EXPECT_EQ(plan.steps[i].needs, std::vector<std::string>{"site"});
}

TEST(Floor, RefusesMoreThanThereArePeople) {
  Given given;
  given.manifest.approvals[0].threshold = 3;
  EXPECT_EQ(given.refused(fault::Code::approval_roster), "too-few");
  given.manifest.approvals[0] = {
      .id = "review", .threshold = 1, .roles = {{"safety", 2}}, .expires_after = {}, .message = ""};
  EXPECT_EQ(given.refused(fault::Code::approval_roster), "too-few");
}

TEST(Floor, CountsNoRevokedKeysAndNoForeignScopes) {
  Given given;
  given.manifest.approvals[0].threshold = 2;
  given.site->revoked = {{given.site->tenants[0].approvers[0].keys[0].key, {}, "left"}};
  EXPECT_EQ(given.refused(fault::Code::approval_roster), "too-few");
  given.site->revoked.clear();
  given.site->tenants[0].approvers[1].scopes = {"packs.read"};
  EXPECT_EQ(given.refused(fault::Code::approval_roster), "too-few");
}

TEST(Plan, KeepsToTheSitesMode) {
  Given given;
  given.manifest.sealed_install = true;
  EXPECT_NO_THROW((void)given.make());
  given.site->mode = site::Mode::connected;
  EXPECT_EQ(given.refused(fault::Code::pack_sealed_required), "mode");
}

TEST(Plan, RefusesDeniedPacksAndUnknownTenants) {
  Given given;
  given.tenant = "plant-8";
  EXPECT_EQ(given.refused(fault::Code::usage), "tenant");
  given.tenant = "plant-7";
  given.site->denied = {{"firmware-x:1.0.0", "bricks rev B"}};
  EXPECT_EQ(given.refused(fault::Code::pack_signature), "denied");
}

TEST(Plan, WorksForAuthorsWithoutAPolicy) {
  Given given;
  given.site.reset();
  given.tenant = "default";
  const Plan plan = given.make();
  EXPECT_EQ(plan.document["mode"], "sealed");
  EXPECT_TRUE(plan.allowed.empty());
}

TEST(Diff, SaysFieldByFieldWhatChanged) {
  Given given;
  const auto before = given.make().document;
  given.inputs["cell"] = "hall-4";
  given.manifest.steps[0].timeout = std::chrono::minutes(5);
  given.manifest.steps.pop_back();
  std::map<std::string, std::string> places;
  for (const Change& change : diff(before, given.make().document))
    places[change.place] = !change.before ? "added" : !change.after ? "removed" : "changed";
  EXPECT_EQ(places, (std::map<std::string, std::string>{{"approvals[review].message", "changed"},
                                                        {"inputs.cell", "changed"},
                                                        {"secrets[token].steps", "changed"},
                                                        {"steps[check].command", "changed"},
                                                        {"steps[check].timeout", "changed"},
                                                        {"steps[flash]", "removed"}}));
  EXPECT_TRUE(diff(before, before).empty());
}

}  // namespace
}  // namespace stella::plan
