// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "appliance/graph/layout.hpp"

namespace stella::graph {
namespace {

std::vector<Step> chain(int length, const std::string& state = "succeeded") {
  std::vector<Step> steps;
  for (int i = 0; i < length; ++i) {
    Step step{.id = fmt::format("s{}", i), .parent = "", .kind = "run", .state = state};
    if (i > 0) step.needs.push_back(fmt::format("s{}", i - 1));
    steps.push_back(step);
  }
  return steps;
}
std::vector<Step> map_of(int turns) {
  std::vector<Step> steps{{.id = "flash", .parent = "", .kind = "map", .state = "running"}};
  for (int i = 0; i < turns; ++i) {
    const std::string turn = fmt::format("flash[{}]", i);
    steps.push_back({.id = turn, .parent = "flash", .kind = "item", .state = i == 70 ? "failed" : "succeeded"});
    steps.push_back({.id = turn + "::one", .parent = turn, .kind = "run", .state = "succeeded"});
  }
  return steps;
}

TEST(Fold, ShowsAllMembersOfASmallGroup) {
  const auto steps = map_of(50);
  const Entry root = fold(steps);
  ASSERT_EQ(root.members.size(), 1U);
  EXPECT_EQ(root.members[0].members.size(), 50U);
  EXPECT_EQ(root.members[0].counts.done, 50U);
}

TEST(Fold, ShowsALargeGroupAsCountsAndWhatStandsOut) {
  const auto steps = map_of(1000);
  const Entry root = fold(steps);
  const Entry& map = root.members.at(0);
  EXPECT_EQ(map.counts.all, 1000U);
  EXPECT_EQ(map.counts.failed, 1U);
  EXPECT_LE(map.members.size(), 8U);
  std::size_t stretched = 0;
  bool failed_is_shown = false;
  for (const Entry& one : map.members) {
    stretched += one.stretched.size();
    failed_is_shown = failed_is_shown || (one.step != nullptr && one.step->id == "flash[70]");
  }
  EXPECT_TRUE(failed_is_shown);
  EXPECT_EQ(stretched +
                std::count_if(map.members.begin(), map.members.end(), [](const Entry& e) { return e.step != nullptr; }),
            1000U);
}

TEST(Fold, FoldsInnerGroupsWhenAllWouldBeTooMany) {
  std::vector<Step> steps;
  for (int a = 0; a < 49; ++a) {
    steps.push_back({.id = fmt::format("g{}", a), .parent = "", .kind = "parallel", .state = "pending"});
    for (int b = 0; b < 49; ++b)
      steps.push_back(
          {.id = fmt::format("g{}s{}", a, b), .parent = fmt::format("g{}", a), .kind = "run", .state = "pending"});
  }
  const Entry root = fold(steps, {.group = 50, .entries = 200});
  std::size_t shown = 0, folded = 0;
  for (const Entry& one : root.members) {
    shown += 1 + one.members.size();
    folded += one.folded ? 1 : 0;
    EXPECT_EQ(one.counts.all, 49U);
  }
  EXPECT_LE(shown, 200U);
  EXPECT_GT(folded, 40U);
}

TEST(LayOut, PutsEachStepBelowWhatItNeeds) {
  const auto steps = chain(5);
  const Entry root = fold(steps);
  const Picture picture = lay_out(root);
  ASSERT_EQ(picture.boxes.size(), 5U);
  ASSERT_EQ(picture.edges.size(), 4U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(picture.boxes[i].y, picture.boxes[i - 1].y + kBoxHeight + kGap);
  for (const Edge& edge : picture.edges) EXPECT_LT(edge.y1, edge.y2);
}

TEST(LayOut, HasNoTwoBoxesOfOneGroupOnEachOther) {
  std::vector<Step> steps{{.id = "a", .parent = "", .kind = "run", .state = "succeeded"}};
  for (int i = 0; i < 9; ++i)
    steps.push_back({.id = fmt::format("b{}", i), .parent = "", .kind = "run", .state = "pending", .needs = {"a"}});
  steps.push_back({.id = "g", .parent = "", .kind = "parallel", .state = "pending", .needs = {"b3", "b4"}});
  for (int i = 0; i < 5; ++i)
    steps.push_back({.id = fmt::format("c{}", i), .parent = "g", .kind = "run", .state = "pending"});
  const Entry root = fold(steps);
  const Picture picture = lay_out(root);
  EXPECT_EQ(picture.boxes.size(), steps.size());
  for (const Box& one : picture.boxes) {
    EXPECT_GE(one.x, 0);
    EXPECT_LE(one.x + one.width, picture.width);
    EXPECT_LE(one.y + one.height, picture.height);
    for (const Box& two : picture.boxes) {
      if (&one == &two || one.entry->step->parent != two.entry->step->parent) continue;
      const bool apart = one.x + one.width <= two.x || two.x + two.width <= one.x || one.y + one.height <= two.y ||
                         two.y + two.height <= one.y;
      EXPECT_TRUE(apart) << one.entry->step->id << " " << two.entry->step->id;
    }
  }
}

TEST(LayOut, DrawsTenThousandStepsInAFewBoxes) {
  auto steps = chain(10000, "pending");
  for (int i = 0; i < 5000; ++i) steps[static_cast<std::size_t>(i)].state = "succeeded";
  steps[5000].state = "running";
  const Entry root = fold(steps);
  const Picture picture = lay_out(root);
  EXPECT_LE(picture.boxes.size(), 8U);
  EXPECT_EQ(picture.edges.size(), picture.boxes.size() - 1);
  EXPECT_EQ(root.counts.done, 5000U);
}

TEST(LayOut, LeavesOutALinkThatGoesBack) {
  auto steps = chain(3);
  steps[0].needs.push_back("s2");
  const Entry root = fold(steps);
  EXPECT_EQ(lay_out(root).edges.size(), 2U);
}

TEST(LayOut, IsEmptyForNoSteps) {
  const Entry root = fold({});
  EXPECT_TRUE(lay_out(root).boxes.empty());
}

}  // namespace
}  // namespace stella::graph
