// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "appliance/console/run_list.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::console {
namespace {

class RunListTest : public testing::Test {
 protected:
  static clock::Time at(int seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  std::string make(int second, const std::string& tenant = "plant-7", const std::string& pack = "sbom") {
    journal::RunRow row;
    row.tenant = tenant;
    row.pack = pack;
    row.version = "1.0.0";
    row.state = "running";
    return writer_.create_run(row, {"pack.run.submitted", {}, {}}, at(second)).id;
  }
  void move(const std::string& run, const std::string& state, int second) {
    const std::vector<journal::NewEvent> one = {{"pack.step.output", "a", {{"n", second}}}};
    (void)writer_.append(run, one, {.state = state}, at(second));
  }
  // What a list that was never asked before says.
  std::string fresh(const journal::Journal::Filter& filter, std::size_t limit) const {
    return RunList(filter, limit).text(reader_);
  }
  tests::TemporaryFolder folder_;
  files::Home home_ = files::Home::open(folder_ / "home");
  journal::Journal writer_ = journal::Journal::open(home_), reader_ = journal::Journal::open(home_);
};

TEST_F(RunListTest, SaysWhatTheJournalHoldsWhateverHappens) {
  const std::vector<journal::Journal::Filter> filters = {
      {}, {.tenant = "plant-7"}, {.state = "failed"}, {.tenant = "plant-7", .state = "running"}, {.pack = "scan"}};
  std::vector<RunList> lists;
  for (const auto& filter : filters) {
    for (const std::size_t limit : {1, 3, 50}) lists.emplace_back(filter, limit);
  }
  std::mt19937 random(7);
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  std::vector<std::string> runs;
  for (int second = 1; second <= 100; ++second) {
    const int what = pick(10);
    if (runs.empty() || what < 3) {
      runs.push_back(make(pick(4) == 0 ? second / 2 : second, pick(3) == 0 ? "plant-8" : "plant-7",
                          pick(2) == 0 ? "scan" : "sbom"));
    } else if (what < 8) {
      static const std::vector<std::string> kStates = {"running", "waiting", "failed", "succeeded"};
      move(runs[static_cast<std::size_t>(pick(static_cast<int>(runs.size())))],
           kStates[static_cast<std::size_t>(pick(4))], second);
    } else if (what == 8) {
      const std::string& run = runs[static_cast<std::size_t>(pick(static_cast<int>(runs.size())))];
      if (!writer_.release(run)) writer_.hold(run, fmt::format("reason {}", second), "ana", at(second));
    } else {
      const std::string run = runs[static_cast<std::size_t>(pick(static_cast<int>(runs.size())))];
      (void)writer_.release(run);
      move(run, "failed", second);
      (void)writer_.remove_run(run, {.by = "ana", .why = "old"}, at(second));
      std::erase(runs, run);
    }
    if (pick(3) == 0) continue;  // several things happen between two questions
    std::size_t number = 0;
    for (const auto& filter : filters) {
      for (const std::size_t limit : {1, 3, 50})
        ASSERT_EQ(lists[number++].text(reader_), fresh(filter, limit)) << second << " " << number;
    }
  }
}

TEST_F(RunListTest, NamesTheRunAfterWhichTheNextPageBegins) {
  RunList list({.tenant = "plant-7"}, 2);
  EXPECT_EQ(list.text(reader_), "{\"more\":false,\"next\":null,\"runs\":[]}\n");
  std::string second;
  for (int i = 1; i <= 4; ++i) {
    const std::string run = make(i);
    if (i == 3) second = run;
  }
  const auto said = canon::Json::parse(list.text(reader_));
  EXPECT_EQ(said.at("more"), true);
  EXPECT_EQ(said.at("runs").size(), 2U);
  EXPECT_EQ(said.at("runs")[1].at("runId"), second);
  EXPECT_EQ(said.at("next"), fmt::format("{}.2.{}", at(3).time_since_epoch().count(), second));
}

TEST_F(RunListTest, SaysTheFirstRunOfAnEmptyHome) {
  RunList list({}, 10);
  ASSERT_EQ(list.text(reader_), "{\"more\":false,\"next\":null,\"runs\":[]}\n");
  const std::string run = make(1);
  const auto said = canon::Json::parse(list.text(reader_));
  ASSERT_EQ(said.at("runs").size(), 1U);
  EXPECT_EQ(said.at("runs")[0].at("runId"), run);
}

TEST_F(RunListTest, TakesMoreChangesThanItWouldTakeOneByOne) {
  const std::string run = make(1);
  RunList list({}, 10);
  (void)list.text(reader_);
  for (int i = 2; i < 200; ++i) (void)make(i);
  move(run, "failed", 300);
  EXPECT_EQ(list.text(reader_), fresh({}, 10));
}

}  // namespace
}  // namespace stella::console
