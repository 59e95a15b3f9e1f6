// SPDX-License-Identifier: Apache-2.0
// Gates of a run: by policy, by approval, and how they run out.
#include "appliance/run/expiry.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

TEST_F(RunTest, ClosesAPolicyGateWhoseExpressionDoesNotHold) {
  auto& gate = add("window", plan::Kind::gate_policy);
  gate.expression = "inputs.cell == 'other'";
  gate.message = "not that cell";
  add("b");
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->reason(), "policy");
  EXPECT_NE(std::string(outcome.error->what()).find("not that cell"), std::string::npos);
  EXPECT_TRUE(ran_.empty());
}

TEST_F(RunTest, ExpiresAGateThatNobodyAnswered) {
  add_gate("review");
  EXPECT_EQ(start().row.state, "waiting");
  apply_due(*home_, *journal_, clock_.time + std::chrono::minutes(29));
  EXPECT_EQ(journal_->need(run_).state, "waiting");
  apply_due(*home_, *journal_, clock_.time + std::chrono::minutes(30));
  EXPECT_EQ(journal_->need(run_).state, "expired");
  EXPECT_EQ(journal_->need(run_).code, "ERR_PACK_APPROVAL_TIMEOUT");
}

TEST_F(RunTest, AsksAnewInANewAttempt) {
  add_gate("review");
  (void)start();
  clock_.time += std::chrono::hours(1);
  apply_due(*home_, *journal_, clock_.time);
  const Outcome outcome = resume();
  EXPECT_EQ(outcome.row.state, "waiting");
  EXPECT_EQ(outcome.row.attempt, 2);
  EXPECT_EQ(last("pack.gate.waiting").at("expiresAt"), clock::format_millis(clock_.time + std::chrono::minutes(30)));
}

}  // namespace
}  // namespace stella::run
