// SPDX-License-Identifier: Apache-2.0
// What the journal's row says of a run's steps, at every moment of it.
#include "appliance/run/tally.hpp"

#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using canon::Json;

plan::Step step(const std::string& id, const std::string& parent = {}, plan::Kind kind = plan::Kind::run) {
  plan::Step made;
  made.id = id;
  made.parent = parent;
  made.kind = kind;
  return made;
}

Json counts(std::size_t done, std::size_t total, std::size_t failed) {
  return {{"done", done}, {"total", total}, {"failed", failed}};
}

plan::Plan loop_of_three() {
  plan::Plan plan;
  plan.steps = {step("first"), step("settle", "", plan::Kind::loop)};
  for (int i = 0; i < 3; ++i) {
    const std::string turn = "settle[" + std::to_string(i) + "]";
    plan.steps.push_back(step(turn, "settle", plan::Kind::item));
    plan.steps.push_back(step(turn + "::probe", turn));
  }
  return plan;
}

TEST(StepTally, CountsStepsOfWorkAndNoGroups) {
  const plan::Plan plan = loop_of_three();
  EXPECT_EQ(StepTally(plan).json(), counts(0, 4, 0));
}

TEST(StepTally, FollowsAStepThroughItsTries) {
  const plan::Plan plan = loop_of_three();
  StepTally tally(plan);
  tally.take("pack.step.started", "first", Json::object());
  EXPECT_EQ(tally.json(), counts(0, 4, 0));
  tally.take("pack.step.finished", "first", {{"state", "failed"}});
  EXPECT_EQ(tally.json(), counts(0, 4, 1));
  tally.take("pack.step.retried", "first", Json::object());
  EXPECT_EQ(tally.json(), counts(0, 4, 0));
  tally.take("pack.step.finished", "first", {{"state", "continued"}});
  tally.take("pack.step.finished", "first", {{"state", "continued"}});  // said twice, counted once
  EXPECT_EQ(tally.json(), counts(1, 4, 0));
}

TEST(StepTally, LeavesOutTheTurnsThatALoopDidNotNeed) {
  const plan::Plan plan = loop_of_three();
  StepTally tally(plan);
  tally.take("pack.step.finished", "settle[0]::probe", {{"state", "succeeded"}});
  tally.take("pack.step.finished", "settle", {{"state", "succeeded"}, {"kind", "loop"}});
  EXPECT_EQ(tally.json(), counts(1, 2, 0));
}

TEST(StepTally, LeavesOutTheMembersOfASkippedGroup) {
  const plan::Plan plan = loop_of_three();
  StepTally tally(plan);
  tally.take("pack.step.skipped", "settle", Json::object());
  EXPECT_EQ(tally.json(), counts(0, 1, 0));
}

TEST(StepTally, ANewAttemptBeginsWithWhatIsReused) {
  const plan::Plan plan = loop_of_three();
  StepTally tally(plan);
  tally.take("pack.step.finished", "first", {{"state", "succeeded"}});
  tally.take("pack.step.finished", "settle[0]::probe", {{"state", "failed"}});
  tally.begin_attempt({{"reused", {"first"}}});
  EXPECT_EQ(tally.json(), counts(1, 4, 0));
}

class Counted : public RunTest {};

TEST_F(Counted, TheRowOfARunKnowsHowFarItCame) {
  add("a");
  add("b");
  add("c");
  scripts_["b"] = exits(3);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.row.detail.at("steps"), counts(1, 3, 1));
}

}  // namespace
}  // namespace stella::run
