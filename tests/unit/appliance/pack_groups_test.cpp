// SPDX-License-Identifier: Apache-2.0
// parallel, map, loop, conditional and finally in pack.yaml: what is read, what is refused and where.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "appliance/pack/manifest.hpp"

namespace stella::pack {
namespace {

const std::string kHead =
    "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: demo, version: 1.0.0}\nspec:\n"
    "  inputs: [{name: hosts, type: array}]\n  approvals: [{id: go}]\n  secrets: [{name: key, scope: x}]\n";

std::string problems(const std::string& steps) {
  std::string all;
  for (const Problem& each : read_manifest(kHead + steps, "pack.yaml").problems)
    all += each.at + ": " + each.what + "\n";
  return all;
}

TEST(Groups, ReadsEveryKindAndItsFields) {
  const Manifest manifest = parse_manifest(kHead + R"(  maxParallel: 8
  defaults: {timeout: PT5M, env: {LANG: C}}
  steps:
    - id: both
      timeout: PT1H
      continueOnError: true
      parallel: {maxParallel: 2, failFast: true, maxFailures: 1, steps: [{id: a, run: {script: x}}, {id: b, run: {script: x, env: {Z: z}}}]}
    - id: flash
      map: {items: "${{ inputs.hosts }}", iterator: host, index: n, maxItems: 10, maxFailures: 10%, steps: [{id: one, run: {command: [x, "${{ host }}", "${{ n }}"]}}]}
    - id: settle
      loop: {range: [1, 5], delay: 2s, until: "steps.probe.outputs.ok == 'yes'", steps: [{id: probe, run: {script: x}}]}
    - id: fixed
      loop: {static: [a, {b: 1}], steps: [{id: one, run: {script: x}}]}
    - id: choose
      conditional:
        cases: [{when: "inputs.hosts", steps: [{id: yes-, run: {script: x}}]}]
        else: [{id: no-, run: {script: x}}]
  finally: [{id: clean, run: {script: x}}]
  outputs: [{name: count, type: integer, value: "${{ steps.a.exit }}"}]
)",
                                           "pack.yaml");
  EXPECT_EQ(manifest.max_parallel, 8);
  ASSERT_EQ(manifest.steps.size(), 5U);
  const Step& both = manifest.steps[0];
  EXPECT_EQ(both.kind, StepKind::parallel);
  EXPECT_EQ(both.max_parallel, 2);
  EXPECT_EQ(both.max_failures.many, 1);
  EXPECT_TRUE(both.fail_fast && both.continue_on_error);
  EXPECT_EQ(both.timeout, std::chrono::hours(1));
  EXPECT_EQ(both.steps.at(0).timeout, std::chrono::minutes(5));
  EXPECT_EQ(both.steps.at(1).env, (std::map<std::string, std::string>{{"LANG", "C"}, {"Z", "z"}}));
  const Step& flash = manifest.steps[1];
  EXPECT_EQ(flash.items.expression, "inputs.hosts");
  EXPECT_EQ(flash.iterator + flash.index, "hostn");
  EXPECT_EQ(flash.max_turns, 10);
  EXPECT_TRUE(flash.max_failures.percent);
  EXPECT_EQ(flash.timeout, clock::Duration::zero());
  EXPECT_EQ(manifest.steps[2].items.range->second, 5);
  EXPECT_EQ(manifest.steps[2].delay, std::chrono::seconds(2));
  EXPECT_EQ(manifest.steps[3].items.fixed->size(), 2U);
  EXPECT_EQ(manifest.steps[4].cases.at(0).when, "inputs.hosts");
  EXPECT_EQ(manifest.steps[4].otherwise.at(0).id, "no-");
  EXPECT_EQ(manifest.at_end.at(0).id, "clean");
  EXPECT_EQ(manifest.outputs.at(0).value, "${{ steps.a.exit }}");
}

TEST(Groups, ALoopMayGoOnUntil) {
  const Manifest manifest = parse_manifest(kHead +
                                               "  steps: [{id: l, loop: {until: steps.p.outputs.ok, maxIterations: 20, "
                                               "steps: [{id: p, run: {script: x}}]}}]",
                                           "pack.yaml");
  EXPECT_EQ(manifest.steps[0].items.range, (std::pair<std::int64_t, std::int64_t>{1, 20}));
}

TEST(Groups, AnExpressionMayStandInAHole) {
  const Manifest manifest =
      parse_manifest(kHead + "  steps: [{id: a, when: '${{ inputs.hosts }}', run: {script: x}}]", "pack.yaml");
  EXPECT_EQ(manifest.steps[0].when, "inputs.hosts");
}

struct Wrong {
  const char* steps;
  const char* says;
};
class RefusesGroups : public ::testing::TestWithParam<Wrong> {};
TEST_P(RefusesGroups, ByName) {
  const std::string all = problems(GetParam().steps);
  EXPECT_NE(all.find(GetParam().says), std::string::npos) << GetParam().steps << "\n" << all;
}
INSTANTIATE_TEST_SUITE_P(
    Groups, RefusesGroups,
    ::testing::Values(
        Wrong{"  steps: [{id: m, map: {items: [a, '${{ inputs.hosts }}'], steps: [{id: a, run: {script: x}}]}}]",
              "holds no `${{ }}`"},
        Wrong{"  steps: [{id: m, map: {items: [1, 2, 3], maxItems: 2, steps: [{id: a, run: {script: x}}]}}]",
              "more than 2 items"},
        Wrong{"  steps: [{id: m, loop: {range: [5, 1], steps: [{id: a, run: {script: x}}]}}]", "in order"},
        Wrong{"  steps: [{id: m, loop: {range: [1, 2], static: [1], steps: [{id: a, run: {script: x}}]}}]",
              "only one of"},
        Wrong{"  steps: [{id: m, parallel: {maxFailures: 101%, steps: [{id: a, run: {script: x}}]}}]", "10%"},
        Wrong{"  steps: [{id: m, map: {items: [1], iterator: inputs, steps: [{id: a, run: {script: x}}]}}]",
              "would hide"},
        Wrong{"  steps: [{id: m, map: {items: [1], iterator: x, index: x, steps: [{id: a, run: {script: x}}]}}]",
              "need two names"},
        Wrong{"  steps: [{id: m, map: {items: [1], steps: [{id: n, map: {items: [1], steps: [{id: a, run: {script: "
              "x}}]}}]}}]",
              "already; name another"},
        Wrong{"  steps: [{id: m, map: {items: [1], steps: [{id: m, run: {script: x}}]}}]", "would hide the one"},
        Wrong{"  steps: [{id: m, parallel: {steps: [{id: m, run: {script: x}}]}}]", "there twice"},
        Wrong{"  steps: [{id: p, parallel: {steps: [{id: a, run: {script: x}}, {id: b, when: steps.a.exit, run: "
              "{script: x}}]}}]",
              "not done before"},
        Wrong{"  steps: [{id: m, map: {items: [1], steps: [{id: a, run: {script: x}}]}}, {id: b, when: steps.a.exit, "
              "run: {script: x}}]",
              "there is no step `a`"},
        Wrong{"  steps: [{id: m, map: {items: [1], steps: [{id: a, run: {script: x}}]}}, {id: b, when: steps.m.exit, "
              "run: {script: x}}]",
              "no field of a map step `exit`"},
        Wrong{
            "  steps: [{id: b, needs: [a], run: {script: x}}, {id: p, parallel: {steps: [{id: a, run: {script: x}}]}}]",
            "stands in another list"},
        Wrong{"  steps: [{id: b, when: item, run: {script: x}}]", "unknown name `item`"},
        Wrong{"  steps: [{id: b, when: length(keys(steps)), run: {script: x}}]", "names the step that it reads"},
        Wrong{"  steps: [{id: b, when: key, run: {script: x}}]", "is a secret"},
        Wrong{"  steps: [{id: b, run: {command: [x, '${{ @ }}']}}]", "names what it reads"},
        Wrong{"  steps: [{id: b, when: 'a ${{ inputs.hosts }}', run: {script: x}}]", "not as text with holes"},
        Wrong{"  finally: [{id: c, needs: [a], run: {script: x}}]\n  steps: [{id: a, run: {script: x}}]",
              "another list"},
        Wrong{"  steps: [{id: a, when: steps.c.exit, run: {script: x}}]\n  finally: [{id: c, run: {script: x}}]",
              "not done before"},
        Wrong{"  steps: [{id: c, conditional: {cases: [{when: inputs.hosts, steps: [{id: a, run: {script: x}}]}], "
              "else: [{id: b, when: steps.a.exit, run: {script: x}}]}}]",
              "not done before"},
        Wrong{
            "  outputs: [{name: o, type: string, value: '${{ steps.b.exit }}'}]\n  steps: [{id: a, run: {script: x}}]",
            "there is no step `b`"}));

TEST(Groups, SeesWhatIsSurelyDone) {
  EXPECT_EQ(problems(R"(  steps:
    - {id: p, parallel: {steps: [{id: a, run: {script: x}}, {id: b, run: {script: x}}]}}
    - {id: l, needs: [p], run: {script: x}}
    - id: m
      needs: [l]
      map:
        items: "${{ steps.a.outputs.list }}"
        steps:
          - {id: one, run: {command: [x, "${{ item }}", "${{ steps.b.exit }}"]}}
          - {id: two, when: "steps.one.exit == `0` && steps.l.state == 'succeeded'", run: {script: x}}
    - {id: z, when: "steps.m.items[0].steps.one.exit == `0`", run: {script: x}}
  finally: [{id: f, when: "steps.a.state == 'failed'", run: {script: x}}, {id: g, when: steps.f.exit, run: {script: x}}]
)"),
            "");
}

TEST(Groups, RefusesTooManyLevels) {
  std::string open, close;
  for (int i = 0; i < 17; ++i) {
    open += fmt::format("{{id: g{}, parallel: {{steps: [", i);
    close += "]}}";
  }
  EXPECT_NE(problems("  steps: [" + open + "{id: a, run: {script: x}}" + close + "]").find("16 levels"),
            std::string::npos);
}

}  // namespace
}  // namespace stella::pack
