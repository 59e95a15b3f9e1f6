// SPDX-License-Identifier: Apache-2.0
// What waits for a gate, through needs, groups and turns.
#include <gtest/gtest.h>

#include "bundles/approval/step_graph.hpp"

namespace stella::approval {
namespace {

using Ids = std::vector<std::string>;

TEST(StepGraph, WhatNeedsAGroupWaitsForTheGateInIt) {
  StepGraph graph;
  for (const GraphStep& each : std::vector<GraphStep>{{"a", "", {}},
                                                      {"p", "", {"a"}},
                                                      {"gate", "p", {}},
                                                      {"beside", "p", {}},
                                                      {"next", "p", {"gate"}},
                                                      {"after", "", {"p"}},
                                                      {"free", "", {"a"}}})
    graph.add(each);
  EXPECT_EQ(graph.behind("gate"), (Ids{"next", "after"}));
  EXPECT_EQ(graph.before("after"), (Ids{"a", "p", "gate", "beside", "next"}));
  EXPECT_EQ(graph.before("next"), (Ids{"a", "gate"}));
  EXPECT_EQ(graph.parent_of("next"), "p");
}

TEST(StepGraph, TurnsOfALoopWaitForEachOtherAndThoseOfAMapDoNot) {
  const auto with = [](Ids second_needs) {
    StepGraph graph;
    graph.add({"m", "", {}});
    for (const std::string turn : {"m[0]", "m[1]"}) {
      graph.add({turn, "m", turn == "m[1]" ? second_needs : Ids{}});
      graph.add({turn + "::gate", turn, {}});
      graph.add({turn + "::work", turn, {turn + "::gate"}});
    }
    graph.add({"after", "", {"m"}});
    return graph.behind("m[0]::gate");
  };
  EXPECT_EQ(with({}), (Ids{"m[0]::work", "after"}));
  EXPECT_EQ(with({"m[0]"}), (Ids{"m[0]::work", "m[1]", "m[1]::gate", "m[1]::work", "after"}));
}

TEST(StepGraph, AGroupBehindAGateHoldsItsMembers) {
  StepGraph graph;
  graph.add({"gate", "", {}});
  graph.add({"p", "", {"gate"}});
  graph.add({"a", "p", {}});
  EXPECT_EQ(graph.behind("gate"), (Ids{"p", "a"}));
  EXPECT_TRUE(graph.behind("nobody").empty());
}

TEST(TemplateId, LeavesTheTurnsOut) {
  EXPECT_EQ(template_id("a[3]::b[12]::c"), "a[*]::b[*]::c");
  EXPECT_EQ(template_id("plain"), "plain");
}

}  // namespace
}  // namespace stella::approval
