// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/clock_mark.hpp"

namespace stella::site {
namespace {

using namespace std::chrono_literals;

class ClockMarkTest : public ::testing::Test {
 protected:
  ClockMarkTest() {
    char name[] = "/tmp/stella-clock-XXXXXX";
    folder_ = ::mkdtemp(name);
    home_ = std::make_unique<files::Home>(files::Home::open(folder_));
  }
  ~ClockMarkTest() override { std::filesystem::remove_all(folder_); }
  std::string reason(clock::Time now) {
    try {
      (void)observe_clock(*home_, now);
      return "fine";
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::clock_rollback);
      return error.reason();
    }
  }
  std::string record() { return files::read_input(home_->site() + "/clock.json", {.max_bytes = 1 << 20}); }

  std::string folder_;
  std::unique_ptr<files::Home> home_;
  clock::Time noon_ = clock::parse_time("2026-11-23T12:00:00Z", fault::Code::internal, "");
};

TEST_F(ClockMarkTest, NeverGoesBack) {
  EXPECT_FALSE(look_at_clock(*home_, noon_).highest);
  EXPECT_EQ(observe_clock(*home_, noon_), noon_);
  EXPECT_EQ(observe_clock(*home_, noon_ - 4min), noon_);
  EXPECT_EQ(reason(noon_ - 6min), "behind");
  EXPECT_EQ(look_at_clock(*home_, noon_ - 4min).suspicion, "");
  EXPECT_NE(look_at_clock(*home_, noon_ - 6min).suspicion, "");
}

TEST_F(ClockMarkTest, NoticesAJumpAheadWithinOneBoot) {
  (void)observe_clock(*home_, noon_);
  EXPECT_EQ(reason(noon_ + 30min), "fine");
  EXPECT_EQ(reason(noon_ + 5h), "ahead");
  std::string other_boot = record();
  const std::size_t at = other_boot.find("\"boot\": \"") + 9;
  other_boot[at] = other_boot[at] == '0' ? '1' : '0';
  files::write_atomically(home_->site() + "/clock.json", other_boot, 0600);
  EXPECT_EQ(reason(noon_ + 5h), "fine");
}

TEST_F(ClockMarkTest, WritesAtMostOnceAMinute) {
  (void)observe_clock(*home_, noon_);
  const std::string before = record();
  EXPECT_EQ(observe_clock(*home_, noon_ + 59s), noon_ + 59s);
  EXPECT_EQ(record(), before);
  (void)observe_clock(*home_, noon_ + 61s);
  EXPECT_NE(record(), before);
}

TEST_F(ClockMarkTest, BelievesAPersonWithAReason) {
  (void)observe_clock(*home_, noon_);
  confirm_clock(*home_, noon_ - 2h, "battery was empty", "Ana Ortiz");
  EXPECT_EQ(reason(noon_ - 2h), "fine");
  EXPECT_NE(record().find("battery was empty"), std::string::npos);
  for (int i = 0; i < 120; ++i) confirm_clock(*home_, noon_, "again", "Ana Ortiz");
  EXPECT_EQ(reason(noon_), "fine");
}

TEST_F(ClockMarkTest, RefusesARecordThatIsNotOne) {
  files::make_folders(home_->site());
  files::write_atomically(home_->site() + "/clock.json", "{}", 0600);
  EXPECT_EQ(reason(noon_), "record");
}

}  // namespace
}  // namespace stella::site
