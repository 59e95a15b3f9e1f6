// SPDX-License-Identifier: Apache-2.0
// Groups, turns and `finally`, with plans made by hand and a sandbox that does what the test says.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "appliance/run/expiry.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

class Groups : public RunTest {
 protected:
  plan::Step& put(const std::string& id, const std::string& parent, plan::Kind kind = plan::Kind::run,
                  std::vector<std::string> needs = {}) {
    plan::Step& step = add(id, kind);
    step.parent = parent;
    step.needs = std::move(needs);
    if (kind != plan::Kind::run) step.timeout = {};
    return step;
  }
  // A map or loop of turns that each have one run step `one`.
  plan::Step& put_turns(const std::string& id, plan::Kind kind, int turns) {
    put(id, "", kind);
    for (int i = 0; i < turns; ++i) {
      const std::string turn = id + "[" + std::to_string(i) + "]";
      const std::string before = id + "[" + std::to_string(i - 1) + "]";
      const bool waits = kind == plan::Kind::loop && i > 0;  // as the plan writes it
      put(turn, id, plan::Kind::item, waits ? std::vector<std::string>{before} : std::vector<std::string>{});
      put(turn + "::one", turn);
    }
    return *std::find_if(plan_.steps.begin(), plan_.steps.end(), [&](const auto& step) { return step.id == id; });
  }
  StepState state(const std::string& id) { return record().progress.step(id).state; }
  long count(const std::string& type) {
    const auto all = types();
    return std::count(all.begin(), all.end(), type);
  }
  Script outputs(std::string text) {
    return [text = std::move(text)](const sandbox::Spec& spec, sandbox::Observer&) {
      files::write_atomically(spec.output_file, text, 0600);
      return sandbox::Result{};
    };
  }
};

TEST_F(Groups, RunsTheMembersOfAParallelAtOnce) {
  put("p", "", plan::Kind::parallel);
  std::atomic<int> there{0};
  for (const char* id : {"a", "b"}) {
    put(id, "p");
    scripts_[id] = [&](const sandbox::Spec&, sandbox::Observer&) {
      ++there;
      const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (there < 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
      return sandbox::Result{
          .end = sandbox::End::exited, .status = there < 2 ? 1 : 0, .blocked = {}, .relayed = {}, .limits = {}};
    };
  }
  put("after", "", plan::Kind::run, {"p"});
  EXPECT_FALSE(start().error);
  EXPECT_EQ(count("pack.step.started p"), 1);
  EXPECT_EQ(types().at(types().size() - 2), "pack.step.finished after");
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

TEST_F(Groups, HoldsToTheBoundOfAGroup) {
  put("p", "", plan::Kind::parallel).max_parallel = 2;
  std::atomic<int> now{0}, most{0};
  for (int i = 0; i < 12; ++i) {
    const std::string id = "s" + std::to_string(i);
    put(id, "p").on_crash = plan::OnCrash::rerun;
    scripts_[id] = [&](const sandbox::Spec&, sandbox::Observer&) {
      const int mine = ++now;
      for (int seen = most; seen < mine && !most.compare_exchange_weak(seen, mine);) {
      }
      std::this_thread::yield();
      --now;
      return sandbox::Result{};
    };
  }
  EXPECT_FALSE(start().error);
  EXPECT_LE(most, 2);
}

TEST_F(Groups, StartsNothingNewInAGroupThatFailed) {
  put("p", "", plan::Kind::parallel).max_parallel = 1;
  put("a", "p");
  put("b", "p");
  put("after", "", plan::Kind::run, {"p"});
  scripts_["a"] = exits(3);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->reason(), "exit");
  EXPECT_EQ(outcome.error->at(), "a");
  EXPECT_EQ(ran_, std::vector<std::string>{"a"});
  EXPECT_EQ(state("p"), StepState::failed);
  scripts_.clear();
  ran_.clear();
  EXPECT_FALSE(resume().error);
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b", "after"}));
}

TEST_F(Groups, BearsAsManyFailuresAsItSays) {
  plan::Step& map = put_turns("m", plan::Kind::map, 4);
  map.max_failures = {.many = 25, .percent = true};
  map.max_parallel = 1;
  scripts_["m[1]::one"] = exits(1);
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_.size(), 4U);
}

TEST_F(Groups, GoesOnAfterAFailedGroupWhereThePackSaysSo) {
  put("p", "", plan::Kind::parallel).continue_on_error = true;
  put("a", "p");
  put("after", "", plan::Kind::run, {"p"});
  scripts_["a"] = exits(1);
  EXPECT_FALSE(start().error);
  EXPECT_EQ(state("p"), StepState::continued);
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "after"}));
}

TEST_F(Groups, StopsRunningMembersWhereTheFirstFailureCounts) {
  put("p", "", plan::Kind::parallel).fail_fast = true;
  put("a", "p");
  put("b", "p");
  std::atomic<bool> b_runs{false};
  scripts_["a"] = [&](const sandbox::Spec&, sandbox::Observer&) {
    while (!b_runs) std::this_thread::yield();
    return sandbox::Result{.end = sandbox::End::exited, .status = 1, .blocked = {}, .relayed = {}, .limits = {}};
  };
  scripts_["b"] = [&](const sandbox::Spec&, sandbox::Observer& observer) {
    b_runs = true;
    while (!observer.stop_requested()) std::this_thread::yield();
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().error->at(), "a");
  EXPECT_EQ(record().progress.step("b").reason, "halted");
}

TEST_F(Groups, LoopsUntilTheExpressionHolds) {
  put_turns("l", plan::Kind::loop, 5).until = "inputs.cell == 'c1'";
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, std::vector<std::string>{"l[0]::one"});
}

TEST_F(Groups, FailsALoopWhoseExpressionNeverHeldAndPollsAgainOnResume) {
  put_turns("l", plan::Kind::loop, 3).until = "inputs.cell == 'other'";
  EXPECT_EQ(start().error->reason(), "until");
  EXPECT_EQ(ran_.size(), 3U);
  ran_.clear();
  EXPECT_EQ(resume().error->reason(), "until");
  EXPECT_EQ(ran_.size(), 3U);
}

TEST_F(Groups, TakesTheFirstCaseThatHolds) {
  plan::Step& choose = put("c", "", plan::Kind::conditional);
  choose.cases = {"inputs.cell == 'other'", "inputs.cell == 'c1'"};
  put("x", "c").branch = 0;
  put("y", "c").branch = 1;
  put("z", "c").branch = 2;
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, std::vector<std::string>{"y"});
  EXPECT_EQ(state("x"), StepState::skipped);
  EXPECT_EQ(record().progress.step("c").decided.at("case"), 1);
}

TEST_F(Groups, EndsAGroupThatTakesTooLong) {
  put("p", "", plan::Kind::parallel).timeout = std::chrono::milliseconds(20);
  put("a", "p");
  scripts_["a"] = [&](const sandbox::Spec&, sandbox::Observer& observer) {
    while (!observer.stop_requested()) std::this_thread::yield();
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_TRUE(start().error);
  EXPECT_EQ(record().progress.step("p").reason, "timeout");
}

TEST_F(Groups, RunsFinallyAfterAFailureAndKeepsTheFirstCause) {
  add("a");
  plan::Step& last = put("clean", "");
  last.at_end = true;
  scripts_["a"] = exits(9);
  scripts_["clean"] = exits(1);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->at(), "a");
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "clean"}));
  EXPECT_EQ(outcome.row.state, "failed");
}

TEST_F(Groups, FailsASucceededRunWhoseFinallyFailed) {
  add("a");
  put("clean", "").at_end = true;
  scripts_["clean"] = exits(1);
  EXPECT_EQ(start().error->at(), "clean");
}

TEST_F(Groups, RunsFinallyAfterACancelAndThenIsCancelled) {
  add("a");
  put("clean", "").at_end = true;
  scripts_["a"] = [this](const sandbox::Spec&, sandbox::Observer& observer) {
    request_cancel(journal_->need(run_).folder, {.by = "Bea", .reason = "wrong cell"});
    EXPECT_TRUE(observer.stop_requested());
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().row.state, "cancelled");
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "clean"}));
  EXPECT_EQ(last("pack.run.cancelled"), (canon::Json{{"by", "Bea"}, {"reason", "wrong cell"}}));
}

TEST_F(Groups, OwesFinallyOfAGateThatRanOut) {
  add_gate("review");
  put("clean", "").at_end = true;
  EXPECT_EQ(start().row.state, "waiting");
  clock_.time += std::chrono::minutes(31);
  apply_due(*home_, *journal_, clock_.time);
  EXPECT_EQ(journal_->need(run_).state, "paused");
  EXPECT_EQ(journal_->need(run_).code, "ERR_PACK_APPROVAL_TIMEOUT");
  const Outcome outcome = resume();
  EXPECT_EQ(outcome.row.state, "expired");
  EXPECT_EQ(outcome.row.attempt, 1);
  EXPECT_EQ(ran_, std::vector<std::string>{"clean"});
}

TEST_F(Groups, RunsTenThousandTurns) {
  put_turns("m", plan::Kind::map, 10000);
  for (plan::Step& step : plan_.steps) step.on_crash = plan::OnCrash::rerun;
  std::atomic<int> calls{0};
  submit();
  Record fresh = record();
  Tools given = tools();
  given.sandbox = [&](const sandbox::Spec&, sandbox::Observer&) {
    ++calls;
    return sandbox::Result{};
  };
  Live live(given, fresh, {});
  EXPECT_FALSE(go_on(live).error);
  EXPECT_EQ(calls, 10000);
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

}  // namespace
}  // namespace stella::run
