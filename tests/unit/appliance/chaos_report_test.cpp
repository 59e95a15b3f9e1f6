// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "appliance/chaos/report.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::chaos {
namespace {

using canon::Json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr clock::Time kStart{seconds(1795453200)};

// A run's events, each at a number of milliseconds after its start.
class Story {
 public:
  Story& say(int at, const std::string& type, const std::string& step = {}, Json data = Json::object()) {
    trace.take({.seq = ++seq_,
                .at = kStart + milliseconds(at),
                .type = type,
                .run = "run",
                .step = step,
                .attempt = 1,
                .prev = {},
                .data = std::move(data),
                .line = {}});
    return *this;
  }
  Story& step(int from, int to, const std::string& id, const std::string& state = "succeeded") {
    say(from, "pack.step.started", id, {{"try", 1}});
    return say(to, "pack.step.finished", id, {{"state", state}});
  }
  Story& steps(int from, int each, int many, const std::string& state = "succeeded") {
    for (int i = 0; i < many; ++i) step(from + i * each, from + (i + 1) * each, "s" + std::to_string(seq_), state);
    return *this;
  }
  Story& hook(int at, Hook which, int length) {
    const clock::Time now = kStart + milliseconds(at);
    return say(
        at, kEvent, {},
        data_of({.hook = which, .span = milliseconds(length), .by = "Ana", .until = now + milliseconds(length)}));
  }
  Trace trace;

 private:
  std::int64_t seq_ = 0;
};

Finding only(const Story& story, const std::vector<Trace>& past = {}) {
  auto all = findings_of(story.trace, past, kStart + std::chrono::hours(1));
  EXPECT_EQ(all.size(), 1U);
  return all.at(0);
}

Comparison find(const std::vector<Comparison>& all, const std::string& metric) {
  return *std::find_if(all.begin(), all.end(), [&](const Comparison& one) { return one.metric == metric; });
}

TEST(Spread, IsTheMedianAndTheGreatest) {
  EXPECT_EQ(spread_of({}).count, 0U);
  EXPECT_EQ(spread_of({milliseconds(7)}).median, milliseconds(7));
  EXPECT_EQ(spread_of({milliseconds(9), milliseconds(1), milliseconds(5)}).median, milliseconds(5));
  const Spread even = spread_of({milliseconds(4), milliseconds(1), milliseconds(2), milliseconds(3)});
  EXPECT_EQ(even.median, milliseconds(2)) << "the lower of the middle ones";
  EXPECT_EQ(even.greatest, milliseconds(4));
}

TEST(Parts, AStepThatReachesIntoTheHookIsDuring) {
  Story story;
  story.step(0, 900, "before")
      .say(1000, "pack.step.started", "into", {{"try", 1}})
      .hook(1500, Hook::drop_network, 2000);
  story.say(1800, "pack.step.finished", "into", {{"state", "failed"}}).step(2000, 3000, "within");
  story.say(3400, "pack.step.started", "out", {{"try", 1}})
      .say(4000, "pack.step.finished", "out", {{"state", "succeeded"}});
  story.step(4100, 4200, "after");
  const Finding found = only(story);
  EXPECT_EQ(found.before.steps, std::set<std::string>({"before"}));
  EXPECT_EQ(found.during.steps, std::set<std::string>({"into", "within", "out"}));
  EXPECT_EQ(found.after.steps, std::set<std::string>({"after"}));
  EXPECT_EQ(found.during.failures, 1);
  EXPECT_EQ(found.parts.during.length(), seconds(2));
}

TEST(Parts, APauseThatTookHoldLastsUntilTheRunWentOn) {
  Story story;
  story.steps(0, 100, 3).hook(1000, Hook::pause, 5000);
  story.say(1100, "pack.run.paused", {}, {{"code", "ERR_PACK_CHAOS_PAUSED"}});
  EXPECT_FALSE(only(story).is_over);
  EXPECT_EQ(only(story).verdict, Verdict::unknown);
  story.say(61000, "pack.run.resumed").steps(61100, 100, 3);
  const Finding found = only(story);
  EXPECT_TRUE(found.is_over);
  EXPECT_EQ(found.parts.during.length(), seconds(60));
  EXPECT_EQ(found.after.ended, 3);
  EXPECT_EQ(found.verdict, Verdict::back);
}

TEST(Lengths, AreBackUpToOneAndAHalfTimesAndATenthOfASecondMore) {
  for (const auto& [after, verdict] : {std::pair{1600, Verdict::back}, std::pair{1601, Verdict::not_back}}) {
    Story story;
    story.steps(0, 1000, 3).hook(4000, Hook::drop_network, 1000).steps(6000, after, 3);
    const Finding found = only(story);
    const Comparison lengths = find(found.own, "stepDuration");
    EXPECT_EQ(lengths.type, "run");
    EXPECT_EQ(lengths.baseline, 1000);
    EXPECT_EQ(lengths.after, after);
    EXPECT_EQ(lengths.verdict, verdict);
    EXPECT_EQ(found.verdict, verdict);
  }
}

TEST(Counts, AreBackWhenThereAreNoMoreForEachStep) {
  Story story;
  story.steps(0, 10, 3).say(50, "pack.step.retried", "s");
  story.say(60, "pack.network.blocked", "s", {{"count", 6}}).hook(100, Hook::drop_network, 1000);
  story.steps(2000, 10, 6).say(2100, "pack.step.retried", "s").say(2100, "pack.step.retried", "s");
  story.say(2200, "pack.network.blocked", "s", {{"count", 13}});
  const Finding found = only(story);
  EXPECT_EQ(find(found.own, "retries").verdict, Verdict::back) << "2 of 6 is 1 of 3";
  EXPECT_EQ(find(found.own, "blocked").baseline, 2);
  EXPECT_EQ(find(found.own, "blocked").verdict, Verdict::not_back) << "13 of 6 is more than 6 of 3";
  EXPECT_EQ(find(found.own, "failures").verdict, Verdict::back);
  EXPECT_EQ(found.verdict, Verdict::not_back);
}

TEST(Failures, OfStepsAfterTheHookAreNotTheBaseline) {
  Story story;
  story.steps(0, 10, 3).hook(100, Hook::drop_network, 1000).steps(2000, 10, 3, "failed");
  EXPECT_EQ(find(only(story).own, "failures").verdict, Verdict::not_back);
}

TEST(LogThroughput, IsBackFromHalfTheBaseline) {
  for (const auto& [bytes, verdict] : {std::pair{500, Verdict::back}, std::pair{498, Verdict::not_back}}) {
    Story story;
    story.steps(0, 100, 3).say(900, "pack.step.output", "s", {{"bytes", 1000}}).hook(1000, Hook::drop_network, 1000);
    story.steps(2000, 100, 3).say(2999, "pack.step.output", "s", {{"bytes", bytes}});
    EXPECT_EQ(find(only(story).own, "logThroughput").verdict, verdict) << bytes;
  }
}

TEST(GateWaits, AreComparedOverEarlierRunsToo) {
  const auto wait = [](Story& story, int from, int to, const std::string& step) {
    story.say(from, "pack.gate.waiting", step, {{"gate", "g"}}).say(to, "pack.gate.approved", step, {{"gate", "g"}});
  };
  std::vector<Trace> past;
  for (int i = 0; i < 3; ++i) {
    Story story;
    wait(story, 0, 1000, "a");
    past.push_back(story.trace);
  }
  Story story;
  story.hook(0, Hook::delay_approvals, 1000);
  for (int i = 0; i < 3; ++i) wait(story, 2000 + i * 5000, 6000 + i * 5000, "a" + std::to_string(i));
  const Finding found = only(story, past);
  EXPECT_EQ(find(found.own, "gateWait").verdict, Verdict::unknown);
  EXPECT_EQ(find(found.history, "gateWait").verdict, Verdict::not_back);
  EXPECT_EQ(find(found.history, "gateWait").after, 4000);
}

TEST(History, ComparesTheSameStepsOnly) {
  std::vector<Trace> past;
  for (int i = 0; i < 3; ++i) {
    Story story;
    story.step(0, 10, "fast").step(10, 60000, "slow");
    past.push_back(story.trace);
  }
  Story story;
  story.hook(0, Hook::drop_network, 1000).step(2000, 2010, "fast").step(2010, 2500, "fast").step(3000, 3900, "fast");
  const Finding found = only(story, past);
  const Comparison lengths = find(found.history, "stepDuration");
  EXPECT_EQ(lengths.baseline, 10);
  EXPECT_EQ(lengths.after, 490);
  EXPECT_EQ(lengths.verdict, Verdict::not_back);
}

TEST(Honesty, TooFewValuesAreUnknownAndSayWhy) {
  Story story;
  story.steps(0, 10, 2).hook(100, Hook::drop_network, 1000).steps(2000, 9000, 3);
  const Finding found = only(story);
  EXPECT_EQ(found.verdict, Verdict::unknown);
  for (const auto* all : {&found.own, &found.history}) {
    for (const Comparison& one : *all) {
      EXPECT_EQ(one.verdict, Verdict::unknown) << one.metric;
      EXPECT_NE(one.why.find("3 are needed"), std::string::npos) << one.metric;
    }
  }
}

TEST(SeveralHooks, AreMeasuredAgainstWhatCameBeforeTheFirst) {
  Story story;
  story.steps(0, 100, 3).hook(1000, Hook::drop_network, 1000).steps(3000, 900, 3);
  story.hook(7000, Hook::drop_network, 1000).steps(9000, 900, 3);
  const auto all = findings_of(story.trace, {}, kStart + std::chrono::hours(1));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].parts.after.to, all[1].injection.at);
  EXPECT_EQ(all[1].verdict, Verdict::not_back) << "the slowness of after the first hook is no baseline";
}

TEST(SeveralHooks, ThatOverlapAreOneDisturbance) {
  Story story;
  story.steps(0, 100, 3).hook(1000, Hook::drop_network, 1000).hook(1500, Hook::drop_network, 3000);
  story.steps(2000, 100, 3).steps(5000, 100, 3);
  const auto all = findings_of(story.trace, {}, kStart + std::chrono::hours(1));
  ASSERT_EQ(all.size(), 2U);
  for (const Finding& found : all) {
    EXPECT_EQ(found.parts.during.to, kStart + milliseconds(4500));
    EXPECT_EQ(found.during.ended, 3) << "the network was not there";
    EXPECT_EQ(found.after.ended, 3);
  }
}

TEST(SeveralHooks, AStepThatReachesIntoTheNextHookIsNotOfTheQuietBefore) {
  Story story;
  story.hook(0, Hook::drop_network, 1000).say(2000, "pack.step.started", "into", {{"try", 1}});
  story.hook(3000, Hook::drop_network, 1000).say(5000, "pack.step.finished", "into", {{"state", "failed"}});
  const auto all = findings_of(story.trace, {}, kStart + std::chrono::hours(1));
  EXPECT_EQ(all[0].after.ended, 0);
  EXPECT_EQ(all[1].during.failures, 1);
}

TEST(NoHook, NothingIsFound) {
  Story story;
  story.steps(0, 10, 3);
  EXPECT_TRUE(findings_of(story.trace, {}, kStart).empty());
}

TEST(HistoryOf, TakesOtherRunsOfTheSamePackThatSucceededUndisturbed) {
  tests::TemporaryFolder folder;
  const files::Home home = files::Home::open(folder / "home");
  journal::Journal journal = journal::Journal::open(home);
  int made = 0;
  const auto make = [&](const std::string& pack, const std::string& version, const std::string& state, bool disturbed) {
    journal::RunRow draft;
    draft.tenant = "plant-7";
    draft.pack = pack;
    draft.version = version;
    draft.state = "running";
    const clock::Time now = kStart + seconds(++made);
    const auto row = journal.create_run(draft, {"pack.run.submitted", {}, {{"made", made}}}, now);
    std::vector<journal::NewEvent> events = {{"pack.step.started", "s"},
                                             {"pack.step.finished", "s", {{"state", "succeeded"}}}};
    if (disturbed) events.push_back({kEvent, {}, data_of({.by = "Ana", .until = now})});
    journal.append(row.id, events, {.state = state}, now);
    return journal.need(row.id);
  };
  const auto own = make("sbom", "1.0.0", "succeeded", true);
  make("sbom", "1.0.0", "succeeded", false);
  make("sbom", "1.0.0", "succeeded", true);
  make("sbom", "1.0.0", "failed", false);
  make("sbom", "2.0.0", "succeeded", false);
  make("other", "1.0.0", "succeeded", false);
  make("sbom", "1.0.0", "succeeded", false);
  EXPECT_EQ(history_of(journal, own, 10).size(), 2U);
  EXPECT_EQ(history_of(journal, own, 1).size(), 1U);
}

}  // namespace
}  // namespace stella::chaos
