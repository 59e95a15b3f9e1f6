// SPDX-License-Identifier: Apache-2.0
// What must hold for any graph: plans made up from a seed (nested groups, needs, bounds, failures) go through the real
// runner with a sandbox that only watches. A failure names its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "appliance/run/course.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

class Watch {
 public:
  // What was wrong when this step began; the caller ends it with leave().
  void enter(const Steps& steps, const plan::Step& step, int most_in_all) {
    const std::lock_guard lock(mutex_);
    if (++running_[""] > most_in_all) problems_.push_back(step.id + " is one step too many");
    if (!ended_.insert({step.id, false}).second && ended_.at(step.id))
      problems_.push_back(step.id + " runs again after it had ended well");
    for (const plan::Step* at = &step; at != nullptr; at = find_step(steps, at->parent)) {
      for (const std::string& need : at->needs) require_over(steps, need, step.id);
      const plan::Step* group = find_step(steps, at->parent);
      if (group == nullptr) break;
      members_[group->id].insert({at->id, 0}).first->second += 1;
      const auto busy = std::count_if(members_[group->id].begin(), members_[group->id].end(),
                                      [](const auto& member) { return member.second > 0; });
      if (group->max_parallel > 0 && busy > group->max_parallel)
        problems_.push_back(step.id + " breaks the bound of " + group->id);
    }
  }
  void leave(const Steps& steps, const plan::Step& step, bool well) {
    const std::lock_guard lock(mutex_);
    --running_[""];
    ended_[step.id] = well;
    over_.insert(step.id);
    for (const plan::Step* at = &step; !at->parent.empty(); at = find_step(steps, at->parent))
      --members_[at->parent][at->id];
  }
  // Whatever runs below `need` must have ended.
  void require_over(const Steps& steps, const std::string& need, const std::string& who) {
    for (const plan::Step* other : steps) {
      if (is_group(other->kind)) continue;
      bool below = false;
      for (const plan::Step* at = other; at != nullptr; at = find_step(steps, at->parent)) below |= at->id == need;
      if (below && !over_.contains(other->id)) problems_.push_back(who + " began before " + other->id + " had ended");
    }
  }
  [[nodiscard]] std::vector<std::string> problems() const { return problems_; }

 private:
  std::mutex mutex_;
  std::map<std::string, int> running_;
  std::map<std::string, std::map<std::string, int>> members_;
  std::map<std::string, bool> ended_;  // and how
  std::set<std::string> over_;
  std::vector<std::string> problems_;
};

class AnyGraph : public RunTest {
 protected:
  void make_up(unsigned seed) {
    dice_.seed(seed);
    plan_.max_parallel = roll(1, 6);
    fill("", 0);
    for (const plan::Step& step : plan_.steps) steps_.push_back(&step);
    for (const plan::Step& step : plan_.steps) {
      if (step.kind == plan::Kind::run) scripts_[step.id] = script_of(step);
    }
  }
  int roll(int least, int most) { return std::uniform_int_distribution<int>(least, most)(dice_); }
  void fill(const std::string& parent, int depth) {
    std::vector<std::string> before;
    const int many = roll(1, depth == 0 ? 7 : 4);
    for (int i = 0; i < many; ++i) {
      plan::Step step;
      step.id = "s" + std::to_string(plan_.steps.size());
      step.parent = parent;
      step.kind = depth < 3 && roll(0, 2) == 0 ? plan::Kind::parallel : plan::Kind::run;
      for (const std::string& other : before) {
        if (roll(0, 3) == 0) step.needs.push_back(other);
      }
      step.command = {{.text = "work", .open = false}};
      step.retries.max_attempts = 1;
      step.on_crash = plan::OnCrash::rerun;
      step.digest = canon::sha256(step.id);
      before.push_back(step.id);
      const bool is_a_group = step.kind == plan::Kind::parallel;
      step.max_parallel = is_a_group ? roll(0, 3) : 0;
      step.timeout = is_a_group ? clock::Duration{} : std::chrono::seconds(60);
      const std::string id = step.id;
      plan_.steps.push_back(std::move(step));
      if (is_a_group) fill(id, depth + 1);
    }
  }
  Script script_of(const plan::Step& step) {
    const int turns = roll(0, 30);
    return [this, &step, turns](const sandbox::Spec&, sandbox::Observer&) {
      watch_.enter(steps_, step, plan_.max_parallel);
      for (int i = 0; i < turns; ++i) std::this_thread::yield();
      const bool well = !failing_.contains(step.id);
      watch_.leave(steps_, step, well);
      return sandbox::Result{
          .end = sandbox::End::exited, .status = well ? 0 : 1, .blocked = {}, .relayed = {}, .limits = {}};
    };
  }
  std::set<std::string> run_steps() {
    std::set<std::string> found;
    for (const auto& [id, script] : scripts_) found.insert(id);
    return found;
  }
  std::set<std::string> done() {
    std::set<std::string> found;
    const Record now = record();
    for (const auto& [id, step] : now.progress.steps) {
      if (step.kind.empty() && is_done(step.state)) found.insert(id);
    }
    return found;
  }

  std::mt19937 dice_;
  Steps steps_;
  Watch watch_;
  std::set<std::string> failing_;
};

class Scheduling : public AnyGraph, public testing::WithParamInterface<unsigned> {};

TEST_P(Scheduling, KeepsToNeedsAndBoundsAndRunsEachStepOnce) {
  make_up(GetParam());
  EXPECT_FALSE(start().error);
  EXPECT_EQ(watch_.problems(), std::vector<std::string>{});
  EXPECT_EQ(ran_.size(), run_steps().size());
  EXPECT_EQ(done(), run_steps());
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Scheduling, testing::Range(0U, 40U));

class Resuming : public AnyGraph, public testing::WithParamInterface<unsigned> {};

// A resume that changes nothing does nothing: what ended well is never run again, the same step fails for the same
// reason, and once the causes are gone the rest runs, once.
TEST_P(Resuming, IsIdempotent) {
  make_up(GetParam() + 1000);
  for (const std::string& id : run_steps()) {
    if (roll(0, 5) == 0) failing_.insert(id);
  }
  const bool fails = start().error.has_value();
  EXPECT_EQ(fails, !failing_.empty());
  if (!fails) return;
  const std::set<std::string> well = done();
  for (int again = 0; again < 2; ++again) {
    const auto before = done();
    ran_.clear();
    EXPECT_TRUE(resume().error);
    for (const std::string& id : ran_) EXPECT_FALSE(before.contains(id)) << id << " had ended";
    for (const std::string& id : well) EXPECT_TRUE(done().contains(id)) << id << " was lost";
  }
  failing_.clear();
  const auto before = done();
  ran_.clear();
  EXPECT_FALSE(resume().error);
  EXPECT_EQ(ran_.size(), run_steps().size() - before.size());
  EXPECT_EQ(done(), run_steps());
  EXPECT_EQ(watch_.problems(), std::vector<std::string>{});
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Resuming, testing::Range(0U, 30U));

}  // namespace
}  // namespace stella::run
