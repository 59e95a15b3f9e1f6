// SPDX-License-Identifier: Apache-2.0
// Chaos hooks that another process puts into the journal while a run has its runner.
#include <chrono>
#include <thread>

#include "appliance/chaos/inject.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using fault::Code;

class Disturbed : public RunTest {
 protected:
  // From a lane's thread, as another process would: with a journal of its own.
  void inject(chaos::Hook hook, const std::string& step = {}, int seconds = 30) {
    auto other = journal::Journal::open(*home_);
    (void)chaos::inject(other, run_, {.hook = hook, .span = std::chrono::seconds(seconds), .step = step, .by = "Ana"},
                        clock_.time);
  }
  // Injects a cut too and waits until the step sees it: by then the runner has heard of what came before.
  Script injecting(chaos::Hook hook, const std::string& step = {}) {
    return [this, hook, step](const sandbox::Spec& spec, sandbox::Observer& observer) {
      inject(hook, step);
      if (hook != chaos::Hook::drop_network) inject(chaos::Hook::drop_network, spec.step_id);
      saw_cut_ = waits_for_cut(observer);
      return sandbox::Result{};
    };
  }
  static bool waits_for_cut(sandbox::Observer& observer) {
    for (int i = 0; i < 2000 && !observer.network_is_cut(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return observer.network_is_cut();
  }
  bool saw_cut_ = false;
};

TEST_F(Disturbed, APauseLetsWhatRunsEndAndStartsNothingNew) {
  add("a");
  add("b");
  scripts_["a"] = injecting(chaos::Hook::pause);
  const Outcome paused = start();
  EXPECT_TRUE(saw_cut_);
  ASSERT_TRUE(paused.error);
  EXPECT_EQ(paused.error->code(), Code::pack_chaos_paused);
  EXPECT_EQ(paused.row.state, "paused");
  EXPECT_EQ(paused.row.code, "ERR_PACK_CHAOS_PAUSED");
  EXPECT_EQ(ran_, std::vector<std::string>({"a"}));
  EXPECT_EQ(resume().row.state, "succeeded") << "it is spent: the same hook does not pause again";
  EXPECT_EQ(ran_, std::vector<std::string>({"a", "b"}));
}

TEST_F(Disturbed, APauseBeforeAStepComesBeforeThatStepOnly) {
  for (const char* id : {"a", "b", "c"}) add(id);
  scripts_["a"] = injecting(chaos::Hook::pause, "c");
  const Outcome paused = start();
  EXPECT_EQ(paused.error->at(), "c");
  EXPECT_EQ(ran_, std::vector<std::string>({"a", "b"}));
  EXPECT_EQ(resume().row.state, "succeeded");
}

TEST_F(Disturbed, APauseBeforeAGroupIsOnePause) {
  add("a");
  add("group", plan::Kind::parallel);
  for (const char* id : {"group[0]", "group[1]"}) {
    plan::Step& step = add(id);
    step.parent = "group";
  }
  scripts_["a"] = injecting(chaos::Hook::pause, "group");
  EXPECT_EQ(start().row.code, "ERR_PACK_CHAOS_PAUSED");
  EXPECT_EQ(ran_, std::vector<std::string>({"a"}));
  EXPECT_EQ(resume().row.state, "succeeded");
}

TEST_F(Disturbed, APauseThatWasInjectedWhileNobodyRanHoldsTheRunnerAtItsStart) {
  add("a");
  submit();
  inject(chaos::Hook::pause);
  EXPECT_EQ(start().row.code, "ERR_PACK_CHAOS_PAUSED");
  EXPECT_TRUE(ran_.empty());
  EXPECT_EQ(resume().row.state, "succeeded");
}

TEST_F(Disturbed, NothingIsInForceAfterItsTime) {
  add("a");
  submit();
  inject(chaos::Hook::pause, {}, 5);
  inject(chaos::Hook::drop_network, {}, 5);
  clock_.time += std::chrono::seconds(5);
  scripts_["a"] = [this](const sandbox::Spec&, sandbox::Observer& observer) {
    saw_cut_ = observer.network_is_cut();
    return sandbox::Result{};
  };
  EXPECT_EQ(start().row.state, "succeeded");
  EXPECT_FALSE(saw_cut_);
}

TEST_F(Disturbed, ACutIsForTheStepThatIsNamed) {
  for (const char* id : {"a", "b"}) add(id);
  bool in_a = true, in_b = false;
  submit();
  inject(chaos::Hook::drop_network, "b");
  scripts_["a"] = [&](const sandbox::Spec&, sandbox::Observer& observer) {
    in_a = observer.network_is_cut();
    return sandbox::Result{};
  };
  scripts_["b"] = [&](const sandbox::Spec&, sandbox::Observer& observer) {
    in_b = observer.network_is_cut();
    return sandbox::Result{};
  };
  EXPECT_EQ(start().row.state, "succeeded");
  EXPECT_FALSE(in_a);
  EXPECT_TRUE(in_b) << "a step that starts during the outage has no network from its first instruction";
}

TEST_F(Disturbed, ACutReachesAStepThatRuns) {
  add("a");
  scripts_["a"] = injecting(chaos::Hook::drop_network);
  EXPECT_EQ(start().row.state, "succeeded") << "the hook itself fails nothing";
  EXPECT_TRUE(saw_cut_);
}

TEST_F(Disturbed, NoHookOpensAGate) {
  add("a");
  add_gate("gate");
  add("b");
  scripts_["a"] = injecting(chaos::Hook::delay_approvals);
  const Outcome waiting = start();
  EXPECT_EQ(waiting.row.state, "waiting");
  EXPECT_EQ(waiting.error->code(), Code::pack_approval_required);
  EXPECT_EQ(ran_, std::vector<std::string>({"a"}));
}

TEST_F(Disturbed, TheSignalToStopComesBeforeAPause) {
  add("a");
  add("b");
  scripts_["a"] = [this](const sandbox::Spec& spec, sandbox::Observer& observer) {
    injecting(chaos::Hook::pause)(spec, observer);
    request_cancel(journal_->need(run_).folder, {.by = "Ana", .reason = "enough"});
    return sandbox::Result{};
  };
  EXPECT_EQ(start().row.state, "cancelled");
}

}  // namespace
}  // namespace stella::run
