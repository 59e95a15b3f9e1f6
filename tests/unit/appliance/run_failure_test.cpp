// SPDX-License-Identifier: Apache-2.0
// Failed tries: retries, timeouts, blocked attempts, going on after an error.
#include <filesystem>

#include "appliance/run/walk.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using fault::Code;

TEST_F(RunTest, RetriesAsOftenAsThePackSays) {
  auto& step = add("a");
  step.retries.max_attempts = 3;
  int calls = 0;
  scripts_["a"] = [&](const sandbox::Spec&, sandbox::Observer& observer) {
    observer.output(sandbox::Stream::out, "working\n");
    return sandbox::Result{
        .end = sandbox::End::exited, .status = ++calls < 3 ? 1 : 0, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_FALSE(start().error);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(last("pack.step.finished").at("log"), "logs/a.3.log");
}

TEST_F(RunTest, RetriesOnlyOnWhatThePackNames) {
  auto& step = add("a");
  step.retries.max_attempts = 3;
  step.retries.on = {"exit:75"};
  scripts_["a"] = exits(1);
  EXPECT_TRUE(start().error);
  EXPECT_EQ(ran_.size(), 1U);
}

TEST_F(RunTest, WaitsLongerBeforeEachRetry) {
  plan::Retries retries;
  retries.backoff_seconds = 2;
  retries.factor = 3;
  retries.max_backoff_seconds = 10;
  retries.jitter = 0;
  EXPECT_EQ(delay_before(retries, 2), std::chrono::seconds(2));
  EXPECT_EQ(delay_before(retries, 3), std::chrono::seconds(6));
  EXPECT_EQ(delay_before(retries, 4), std::chrono::seconds(10));
}

TEST_F(RunTest, NamesATimeout) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.end = sandbox::End::timed_out, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().error->code(), Code::pack_step_timeout);
}

TEST_F(RunTest, GoesOnAfterAnErrorWhereThePackSaysSo) {
  add("a").continue_on_error = true;
  add("b");
  scripts_["a"] = exits(1);
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_.size(), 2U);
}

TEST_F(RunTest, FailsABlockedStepEvenWhenItExitedWithZeroAndMayContinue) {
  add("a").continue_on_error = true;
  add("b");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.blocked = {{.program = "curl",
                                        .protocol = "tcp",
                                        .host = "evil.example",
                                        .address = "198.18.0.1",
                                        .port = 443,
                                        .count = 2,
                                        .first = {}}},
                           .relayed = {},
                           .limits = {}};
  };
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->code(), Code::pack_network_blocked);
  EXPECT_EQ(outcome.error->exit_status(), 5);
  EXPECT_NE(std::string(outcome.error->what()).find("evil.example"), std::string::npos);
  EXPECT_NE(outcome.error->fix().find("evil.example"), std::string::npos);
  EXPECT_EQ(last("pack.network.blocked").at("count"), 2);
  EXPECT_EQ(ran_.size(), 1U);
}

TEST_F(RunTest, CountsAttemptsThatCouldNotBeNamedAsBlocked) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.blocked = {}, .relayed = {}, .witness_lost = 5, .limits = {}};
  };
  EXPECT_EQ(start().error->code(), Code::pack_network_blocked);
}

}  // namespace
}  // namespace stella::run
