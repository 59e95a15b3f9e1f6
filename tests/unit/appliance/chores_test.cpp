// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/chores/keeper.hpp"
#include "bundles/fault/error.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::chores {
namespace {

using std::chrono::seconds;

const Moment kStart = Moment{} + seconds(1000);

TEST(ChoresList, DoesEachWhenItIsDue) {
  int often = 0, seldom = 0;
  List list({{"often", seconds(2), [&] { ++often; }}, {"seldom", seconds(10), [&] { ++seldom; }}}, {});
  for (int second = 0; second <= 10; ++second) list.turn(kStart + seconds(second));
  EXPECT_EQ(often, 6);
  EXPECT_EQ(seldom, 2);
}

TEST(ChoresList, NotesWhatFailsAndGoesOn) {
  int done = 0;
  std::vector<std::string> told;
  List list({{"bad", seconds(1), [] { throw fault::Error(fault::Code::no_space, "full", "no room"); }},
             {"good", seconds(1), [&] { ++done; }}},
            [&](const std::string& what) { told.push_back(what); });
  list.turn(kStart);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(told, std::vector<std::string>{"bad: ERR_NO_SPACE: no room"});
}

class Keeping : public ::testing::Test {
 protected:
  Keeper keeper(int& done) {
    return Keeper(home_, {{"count", seconds(1), [&done] { ++done; }}}, {});
  }
  tests::TemporaryFolder folder_;
  files::Home home_ = files::Home::open(folder_ / "home");
};

TEST_F(Keeping, OneOfSeveralDoesThem) {
  int first_did = 0, second_did = 0;
  Keeper first = keeper(first_did), second = keeper(second_did);
  for (int second_of_time = 0; second_of_time < 5; ++second_of_time) {
    first.turn(kStart + seconds(second_of_time));
    second.turn(kStart + seconds(second_of_time));
  }
  EXPECT_EQ(first_did, 5);
  EXPECT_EQ(second_did, 0);
}

TEST_F(Keeping, TheNextOneTakesOverWhenTheFirstIsGone) {
  int first_did = 0, second_did = 0;
  Keeper second = keeper(second_did);
  {
    Keeper first = keeper(first_did);
    first.turn(kStart);
    second.turn(kStart);
    EXPECT_FALSE(second.is_the_one());
  }
  second.turn(kStart + seconds(1));  // it does not look at every turn
  EXPECT_EQ(second_did, 0);
  second.turn(kStart + seconds(2));
  EXPECT_EQ(second_did, 1);
}

TEST_F(Keeping, ALockThatCannotBeOpenedIsToldOfOnceAndTriedAgain) {
  int done = 0;
  std::vector<std::string> told;
  Keeper keeper(home_, {{"count", seconds(1), [&done] { ++done; }}},
                [&](const std::string& what) { told.push_back(what); });
  const std::string lock = home_.path() + "/chores.lock";
  ASSERT_EQ(::mkdir(lock.c_str(), 0700), 0);
  for (int second_of_time = 0; second_of_time <= 6; ++second_of_time) keeper.turn(kStart + seconds(second_of_time));
  EXPECT_EQ(done, 0);
  EXPECT_EQ(told, std::vector<std::string>{"no chores are done: opening " + lock + ": Is a directory (EISDIR)"});
  ASSERT_EQ(::rmdir(lock.c_str()), 0);
  keeper.turn(kStart + seconds(8));
  EXPECT_TRUE(keeper.is_the_one());
  EXPECT_EQ(done, 1);
  EXPECT_EQ(told.size(), 1U);
}

}  // namespace
}  // namespace stella::chores
