// SPDX-License-Identifier: Apache-2.0
// The order of steps, what they hand on, what is reused.
#include "bundles/canon/digest.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using fault::Code;

TEST_F(RunTest, RunsStepsInOrderAndSaysSo) {
  add("a");
  add("b");
  const Outcome outcome = start();
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.row.state, "succeeded");
  EXPECT_EQ(types(), (std::vector<std::string>{"pack.run.submitted", "pack.run.planned", "pack.run.started",
                                               "pack.step.started a", "pack.step.finished a", "pack.step.started b",
                                               "pack.step.finished b", "pack.run.succeeded"}));
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

TEST_F(RunTest, FollowsNeedsInsteadOfOrderAndTakesGatesLast) {
  add_gate("review").needs = {};
  add("free").needs = {};
  add("behind").needs = {"review"};
  const Outcome outcome = start();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::pack_approval_required);
  EXPECT_EQ(outcome.error->exit_status(), 7);
  EXPECT_NE(outcome.error->fix().find("stella pack approve --run " + run_ + " --gate review --offline-request"),
            std::string::npos);
  EXPECT_EQ(outcome.row.state, "waiting");
  EXPECT_EQ(ran_, std::vector<std::string>{"free"});
}

TEST_F(RunTest, SkipsAStepWhoseConditionDoesNotHold) {
  add("a").when = "inputs.cell == 'other'";
  add("b").when = "inputs.cell == 'c1'";
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, std::vector<std::string>{"b"});
}

TEST_F(RunTest, HandsOutputsToLaterSteps) {
  add("a");
  add("b").when = "steps.a.outputs.ready == 'yes'";
  add("c").when = "steps.a.outputs.ready == 'no'";
  scripts_["a"] = [](const sandbox::Spec& spec, sandbox::Observer&) {
    files::write_atomically(spec.output_file, "ready=yes\n", 0600);
    return sandbox::Result{};
  };
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTest, EndsAtTheFirstFailureAndReusesTheRestOnResume) {
  add("a");
  add("b");
  add("c");
  scripts_["b"] = exits(3);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->code(), Code::pack_step_failed);
  EXPECT_EQ(outcome.error->reason(), "exit");
  EXPECT_EQ(last("pack.step.finished").at("exit"), 3);
  scripts_.clear();
  ran_.clear();
  const Outcome again = resume();
  EXPECT_FALSE(again.error);
  EXPECT_EQ(again.row.attempt, 2);
  EXPECT_EQ(ran_, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(last("pack.run.resumed").at("reused"), canon::Json({"a"}));
}

TEST_F(RunTest, RunsAgainWhatChangedInThePlan) {
  add("a");
  add("b");
  scripts_["b"] = exits(1);
  (void)start();
  scripts_.clear();
  ran_.clear();
  plan_.steps[0].digest = canon::sha256(std::string_view("another node"));
  (void)resume();
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTest, ChecksDeclaredOutputsAtTheEnd) {
  add("a");
  plan_.outputs = {{.name = "report", .path = "report.json"}};
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->reason(), "output");
  scripts_.clear();
  files::write_atomically(journal_->need(run_).folder + "/artifacts/report.json", "{}", 0600);
  EXPECT_EQ(resume().row.state, "succeeded");
  EXPECT_EQ(last("pack.run.succeeded").at("outputs").at(0).at("name"), "report");
}

}  // namespace
}  // namespace stella::run
