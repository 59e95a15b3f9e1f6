// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "appliance/pack/manifest.hpp"

namespace stella::pack {
namespace {

const std::string kHead = "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: demo, version: 1.0.0}\n";
const std::string kStep = "  steps:\n    - {id: one, run: {command: [echo, hi]}}\n";

Manifest good(const std::string& spec) {
  return parse_manifest(kHead + "spec:\n" + spec, "pack.yaml");
}

// `at` and text of each problem, as one line each.
std::vector<std::string> problems(const std::string& text) {
  std::vector<std::string> lines;
  for (const Problem& problem : read_manifest(text, "pack.yaml").problems)
    lines.push_back(problem.at + ": " + problem.what);
  return lines;
}

bool says(const std::vector<std::string>& lines, const std::string& at, const std::string& what) {
  return std::ranges::any_of(lines, [&](const std::string& line) {
    return line.starts_with("pack.yaml:" + at) && line.find(what) != std::string::npos;
  });
}

TEST(Manifest, ReadsEverythingThatTheContractShows) {
  const Manifest manifest = good(R"(  sealedInstall: true
  inputs:
    - {name: cell, type: string, required: true, schema: schemas/cell.schema.json}
    - {name: dryRun, type: boolean, default: false}
  secrets:
    - {name: plc-token, scope: firmware, as: file}
    - {name: key, scope: firmware, as: env, env: PLC_KEY}
  approvals:
    - {id: review, threshold: 2, roles: {safety: 1}, expiresAfter: PT30M, message: "Flash ${{ inputs.cell }}"}
  network: [{host: Historian.plant.example, port: 443}]
  defaults: {timeout: PT5M, retries: {maxAttempts: 3, backoffSeconds: 2, on: [exit:75, timeout]}, onCrash: rerun}
  steps:
    - {id: check, run: {command: [./steps/check.sh, "${{ inputs.cell }}"], secrets: [plc-token], timeout: 30s}}
    - {id: gate, gate.approval: {approval: review}}
    - {id: window, gate.policy: {expression: "inputs.dryRun == `false`", message: no dry runs}}
    - {id: act, needs: [check], when: "steps.check.outputs.ready == 'yes'", onCrash: fail,
       network: [{host: historian.plant.example, port: 443}], run: {script: "echo $A", env: {A: "${{ run.id }}"}}}
  outputs: [{name: report, type: file, path: report.json}]
)");
  EXPECT_EQ(manifest.name_version(), "demo:1.0.0");
  EXPECT_TRUE(manifest.sealed_install);
  EXPECT_EQ(manifest.network.at(0).host, "historian.plant.example");
  EXPECT_EQ(manifest.find_secret("key")->env, "PLC_KEY");
  EXPECT_EQ(manifest.find_approval("review")->roles.at("safety"), 1);
  EXPECT_EQ(manifest.steps[0].timeout, std::chrono::seconds(30));
  EXPECT_EQ(manifest.steps[0].retries.max_attempts, 3);
  EXPECT_EQ(manifest.steps[0].on_crash, OnCrash::rerun);
  EXPECT_EQ(manifest.steps[3].on_crash, OnCrash::fail);
  EXPECT_EQ(manifest.steps[3].timeout, std::chrono::minutes(5));
  EXPECT_EQ(manifest.steps[3].needs.value(), std::vector<std::string>{"check"});
  EXPECT_EQ(manifest.outputs.at(0).path, "report.json");
}

TEST(Manifest, ReadsAPinnedRuntimeImage) {
  const std::string image = "registry.example/ot/plc_tools-1@sha256:" + std::string(64, '7');
  const Manifest manifest = parse_manifest(
      kHead + "spec:\n  runtime: {image: '" + image + "'}\n  steps: [{id: a, run: {command: [x]}}]", "pack.yaml");
  ASSERT_TRUE(manifest.runtime);
  EXPECT_EQ(manifest.runtime->name, "registry.example/ot/plc_tools-1");
  EXPECT_EQ(manifest.runtime->text(), image);
}

TEST(Manifest, ListsAllProblemsWithTheirPlaces) {
  const auto lines = problems(R"(apiVersion: stellaops.io/pack.v2
kind: TaskPack
metadata: {name: Demo, version: 1.0, descripton: x}
spec:
  inputs: [{name: cell, type: strin}]
  steps:
    - {id: one, run: {comand: [echo]}}
    - {id: one, gate.approval: {approval: revew}}
  approvals: [{id: review}]
)");
  EXPECT_TRUE(says(lines, "1:13", "did you mean `stellaops.io/pack.v1`"));
  EXPECT_TRUE(says(lines, "3:18", "a-z"));
  EXPECT_TRUE(says(lines, "3:33", "put it in quotes"));
  EXPECT_TRUE(says(lines, "3:38", "did you mean `description`"));
  EXPECT_TRUE(says(lines, "5:31", "did you mean `string`"));
  EXPECT_TRUE(says(lines, "7:23", "did you mean `command`"));
  EXPECT_TRUE(says(lines, "8:12", "there twice"));
  EXPECT_TRUE(says(lines, "8:43", "did you mean `review`"));
}

struct Refusal {
  const char* spec;
  const char* says;
};
class RefusesSpec : public ::testing::TestWithParam<Refusal> {};
TEST_P(RefusesSpec, ByName) {
  std::string all;
  for (const auto& line : problems(kHead + "spec:\n" + GetParam().spec)) all += line + "\n";
  EXPECT_NE(all.find(GetParam().says), std::string::npos) << GetParam().spec << "\n" << all;
}
INSTANTIATE_TEST_SUITE_P(
    Manifest, RefusesSpec,
    ::testing::Values(
        Refusal{"  steps: [{id: a, parallel: {steps: []}}]", "`steps` has at least one step"},
        Refusal{"  steps: [{id: a, map: {items: x}}]", "an expression in `${{ }}` that gives one"},
        Refusal{"  steps: [{id: a, loop: {}}]", "`until` with `maxIterations`"},
        Refusal{"  steps: [{id: a, conditional: {}}]", "`cases` is missing"},
        Refusal{"  finally: [{id: g, gate.approval: {approval: r}}]\n  approvals: [{id: r}]\n"
                "  steps: [{id: a, run: {command: [x]}}]",
                "cannot wait for approval"},
        Refusal{"  runtime: {image: x}\n  steps: [{id: a, run: {command: [x]}}]", "NAME@sha256:HEX"},
        Refusal{"  runtime: {image: 'x:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}\n  "
                "steps: [{id: a, run: {command: [x]}}]",
                "NAME@sha256:HEX"},
        Refusal{"  runtime: {image: '../x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}\n  "
                "steps: [{id: a, run: {command: [x]}}]",
                "NAME@sha256:HEX"},
        Refusal{"  runtime: {}\n  steps: [{id: a, run: {command: [x]}}]", "`image` is missing"},
        Refusal{"  runtime: host\n  steps: [{id: a, run: {command: [x]}}]", "a mapping belongs here"},
        Refusal{"  steps: [{id: a, run: {command: [x], runtime: {image: x}}}]", "unknown field `runtime`"},
        Refusal{"  steps: []", "at least one step"}, Refusal{"  inputs: []", "`steps` is missing"},
        Refusal{"  steps: [{id: a}]", "a step has one of"},
        Refusal{"  steps: [{id: a, run: {command: [x]}, gate.policy: {expression: x}}]", "one thing only"},
        Refusal{"  steps: [{id: a, run: {command: [x], script: y}}]", "either `command` or `script`"},
        Refusal{"  steps: [{id: a, run: {command: []}}]", "names no program"},
        Refusal{"  steps: [{id: a, run: {command: [sleep, 1]}}]", "in quotes"},
        Refusal{"  steps: [{id: a, run: {script: 'echo ${{ inputs.x }}'}}]", "refused in a script"},
        Refusal{"  steps: [{id: a, when: x, run: {command: [x], when: y}}]", "said twice"},
        Refusal{"  steps: [{id: a, run: {command: [x], timeout: soon}}]", "a duration"},
        Refusal{"  steps: [{id: a, run: {command: [x], env: {STELLA_RUN_ID: x}}}]", "begins with STELLA_"},
        Refusal{"  steps: [{id: a, run: {command: [x], secrets: [k]}}]", "there is no secret `k`"},
        Refusal{"  steps: [{id: a, run: {command: [x], network: [{host: h.example, port: 1}]}}]",
                "not under spec.network"},
        Refusal{"  steps: [{id: a, run: {command: [x], onCrash: retry}}]", "not one of rerun, fail, ask"},
        Refusal{"  steps: [{id: a, run: {command: [x], retries: {maxAttempts: 0}}}]", "from 1 to 100"},
        Refusal{"  steps: [{id: a, run: {command: [x], retries: {on: [exit:0]}}}]", "is no cause"},
        Refusal{"  steps: [{id: a, needs: [b], run: {command: [x]}}, {id: b, run: {command: [x]}}]",
                "does not stand before"},
        Refusal{"  steps: [{id: ab, run: {command: [x]}}, {id: b, needs: [ac], run: {command: [x]}}]",
                "there is no step `ac`"},
        Refusal{"  steps: [{id: site, run: {command: [x]}}]", "choose another id"},
        Refusal{"  steps: [{id: a, run: {command: ['${{ inputs.cel }}']}}]\n  inputs: [{name: cell, type: string}]",
                "did you mean `cell`"},
        Refusal{"  steps: [{id: a, when: 'step.b', run: {command: [x]}}]", "did you mean `steps`"},
        Refusal{"  steps: [{id: a, when: 'secrets.k', run: {command: [x]}}]", "secrets cannot be read"},
        Refusal{"  steps: [{id: a, when: 'steps.b.state', run: {command: [x]}}, {id: b, run: {command: [x]}}]",
                "not done before this one"},
        Refusal{
            "  steps: [{id: a, run: {command: [x]}}, {id: b, needs: [], when: 'steps.a.state', run: {command: [x]}}]",
            "not done before"},
        Refusal{"  steps: [{id: a, run: {command: [x]}}, {id: b, when: 'steps.a.output', run: {command: [x]}}]",
                "did you mean `outputs`"},
        Refusal{"  steps: [{id: a, when: '${{ inputs.x }}', run: {command: [x]}}]", "there is no input `x`"},
        Refusal{"  steps: [{id: a, when: 'a ==', run: {command: [x]}}]", "ends too early"},
        Refusal{"  approvals: [{id: r, message: '${{ run.id }}'}]\n  steps: [{id: a, gate.approval: {approval: r}}]",
                "reads inputs only"},
        Refusal{"  approvals: [{id: r}]\n  steps: [{id: a, gate.approval: {approval: r}}, {id: b, gate.approval: "
                "{approval: r}}]",
                "already has a gate"},
        Refusal{"  approvals: [{id: r, threshold: 0}]\n  steps: [{id: a, gate.approval: {approval: r}}]",
                "from 1 to 100"},
        Refusal{"  network: [{host: 1.2.3, port: 1}]\n  steps: [{id: a, run: {command: [x]}}]",
                "a host's name or address"},
        Refusal{"  inputs: [{name: f, type: file, default: x}]\n  steps: [{id: a, run: {command: [x]}}]",
                "has no default"},
        Refusal{"  inputs: [{name: n, type: integer, default: x}]\n  steps: [{id: a, run: {command: [x]}}]",
                "not of type integer"},
        Refusal{"  outputs: [{name: r, path: ../x}]\n  steps: [{id: a, run: {command: [x]}}]", "without .."}));

TEST(Manifest, RefusesTextThatIsNoYamlAtItsPlace) {
  try {
    (void)read_manifest("apiVersion: x\napiVersion: y\n", "pack.yaml");
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), "yaml");
    EXPECT_EQ(error.at(), "pack.yaml:2:1");
  }
}

TEST(Manifest, SaysHowManyProblemsThereAre) {
  try {
    (void)parse_manifest("kind: TaskPack\n", "pack.yaml");
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid);
    EXPECT_NE(std::string(error.what()).find("and 2 more"), std::string::npos) << error.what();
  }
}

TEST(Files, MustBeThereWhenThePackNamesThem) {
  const Manifest manifest = good(
      "  inputs: [{name: n, type: integer, default: 9, schema: schemas/n.json}]\n"
      "  steps: [{id: a, run: {command: [./steps/a.sh]}}]\n");
  const auto with = [&](const std::string& schema) {
    return check_files(manifest, [&](const std::string& path) -> std::optional<std::string> {
      if (path == "schemas/n.json") return schema;
      return std::nullopt;
    });
  };
  EXPECT_EQ(with("{\"maximum\": 10}").size(), 1U);  // ./steps/a.sh
  EXPECT_EQ(with("{\"maximum\": 5}").size(), 2U);
  EXPECT_EQ(with("{\"oneOf\": []}").size(), 2U);
}

}  // namespace
}  // namespace stella::pack
