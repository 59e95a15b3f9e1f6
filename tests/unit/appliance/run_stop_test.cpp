// SPDX-License-Identifier: Apache-2.0
// Runs that stop before their end: signals, cancel requests, killed runners, a sandbox that cannot be built.
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "appliance/run/stop.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

TEST_F(RunTest, PausesWhenTheSandboxCannotBeBuilt) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) -> sandbox::Result {
    throw Error(Code::sandbox_unavailable, "userns", "switched off");
  };
  EXPECT_EQ(start().row.state, "paused");
  scripts_.clear();
  EXPECT_EQ(resume().row.state, "succeeded");  // nothing had run, so nothing is unknown
}

TEST_F(RunTest, EndsTheStepOnASignalAndAsksWhatToDoWithIt) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer& observer) {
    EXPECT_FALSE(observer.stop_requested());
    catch_signals();
    std::raise(SIGTERM);
    EXPECT_TRUE(observer.stop_requested());
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "paused");
  EXPECT_EQ(outcome.row.reason, "interrupted");
  EXPECT_EQ(outcome.error->code(), Code::pack_interrupted);
  forget_signals();
  scripts_.clear();
  EXPECT_THROW((void)resume(), Error);  // onCrash: ask
  EXPECT_EQ(resume({.rerun = {"a"}, .fail = {}, .extend = {}}).row.state, "succeeded");
}

// The kernel gives a signal to the runner's own thread while the step's thread asks again and again.
TEST_F(RunTest, HearsInAStepsThreadASignalThatCameToAnother) {
  add("a");
  const pthread_t runner = pthread_self();
  scripts_["a"] = [runner](const sandbox::Spec&, sandbox::Observer& observer) {
    EXPECT_FALSE(observer.stop_requested());
    catch_signals();
    pthread_kill(runner, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!observer.stop_requested() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().row.reason, "interrupted");
  forget_signals();
}

TEST_F(RunTest, ListensToACancelRequest) {
  add("a");
  add("b");
  scripts_["a"] = [this](const sandbox::Spec&, sandbox::Observer& observer) {
    request_cancel(journal_->need(run_).folder, {.by = "Bea", .reason = "wrong cell"});
    EXPECT_TRUE(observer.stop_requested());
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().row.state, "cancelled");
  EXPECT_EQ(last("pack.run.cancelled"), (canon::Json{{"by", "Bea"}, {"reason", "wrong cell"}}));
}

// The events of a runner that was killed while step a ran.
class Killed : public RunTest {
 protected:
  void kill_in_a(plan::OnCrash on_crash) {
    add("a").on_crash = on_crash;
    add("b");
    submit();
    const std::vector<journal::NewEvent> events = {
        {"pack.run.started", {}, {}},
        {"pack.step.started", "a", {{"try", 1}, {"digest", plan_.steps[0].digest.tagged()}}}};
    journal_->append(run_, events, {.state = "running"}, clock_.time);
  }
};

TEST_F(Killed, RerunsAStepThatMayBeRerun) {
  kill_in_a(plan::OnCrash::rerun);
  EXPECT_EQ(resume().row.state, "succeeded");
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Killed, FailsAStepThatMustNotBeRerun) {
  kill_in_a(plan::OnCrash::fail);
  const Outcome outcome = resume();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->reason(), "crash");
  EXPECT_TRUE(ran_.empty());
}

TEST_F(Killed, AsksAndTakesTheAnswer) {
  kill_in_a(plan::OnCrash::ask);
  try {
    (void)resume();
    FAIL() << "nobody was asked";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::pack_interrupted);
    EXPECT_NE(error.fix().find("--rerun a"), std::string::npos);
    EXPECT_NE(error.fix().find("--fail a"), std::string::npos);
  }
  EXPECT_EQ(journal_->need(run_).state, "paused");
  EXPECT_THROW((void)resume({.rerun = {"b"}, .fail = {}, .extend = {}}), Error);  // b was not in flight
  EXPECT_EQ(resume({.rerun = {}, .fail = {"a"}, .extend = {}}).row.state, "failed");
}

// Ending a run does not answer what became of the step that its dead runner left.
TEST_F(Killed, AsksAlsoWhenTheRunWasCancelledSince) {
  kill_in_a(plan::OnCrash::ask);
  const std::vector<journal::NewEvent> cancelled = {{"pack.run.cancelled", {}, {{"by", "Bea"}, {"reason", ""}}}};
  journal_->append(run_, cancelled, {.state = "cancelled"}, clock_.time);
  const auto before = types();
  EXPECT_EQ(foresee(record(), {}).steps.at(0).what, "ask");
  EXPECT_THROW((void)resume(), Error);
  EXPECT_EQ(journal_->need(run_).state, "cancelled") << "an end is never taken back";
  EXPECT_EQ(types(), before);
  EXPECT_EQ(resume({.rerun = {}, .fail = {"a"}, .extend = {}}).error->reason(), "crash");
  EXPECT_EQ(journal_->need(run_).attempt, 2);
  EXPECT_TRUE(ran_.empty());
  EXPECT_EQ(resume().row.state, "succeeded");
}

TEST_F(Killed, RerunsAfterACancelWhatMayBeRerun) {
  kill_in_a(plan::OnCrash::ask);
  const std::vector<journal::NewEvent> cancelled = {{"pack.run.cancelled", {}, {{"by", "Bea"}, {"reason", ""}}}};
  journal_->append(run_, cancelled, {.state = "cancelled"}, clock_.time);
  EXPECT_EQ(resume({.rerun = {"a"}, .fail = {}, .extend = {}}).row.state, "succeeded");
  EXPECT_EQ(journal_->need(run_).attempt, 2);
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTest, ANewAttemptDoesNotAskAboutAStepThatACancelStopped) {
  add("a");
  scripts_["a"] = [this](const sandbox::Spec&, sandbox::Observer&) {
    request_cancel(journal_->need(run_).folder, {.by = "Bea", .reason = ""});
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().row.state, "cancelled");
  EXPECT_EQ(foresee(record(), {}).steps.at(0).what, "rerun");
  scripts_.clear();
  EXPECT_EQ(resume().row.state, "succeeded");
}

}  // namespace
}  // namespace stella::run
