// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "appliance/console/page_view.hpp"

namespace stella::console {
namespace {

class PageLogTest : public testing::Test {
 protected:
  PageLogTest() {
    char pattern[] = "/tmp/stella-page-log-XXXXXX";
    root_ = ::mkdtemp(pattern);
    logs::Writer writer = logs::Writer::open(root_ + "/logs");
    logs::Try one = writer.begin("talk", 1);
    for (int i = 1; i <= 3000; ++i)
      one.append(logs::Stream::out, fmt::format("{} {}\n", i % 2 == 0 ? "Even" : "odd", i), clock::Time{});
    static_cast<void>(one.finish(clock::Time{}));
    writer.sync();
    row_.id = "run:t:1";
    row_.folder = root_;
    row_.state = "succeeded";
  }
  ~PageLogTest() override { std::filesystem::remove_all(root_); }
  [[nodiscard]] page::LogHits find(const std::string& query) const {
    return find_in_log({root_ + "/logs", "talk", 1}, query, 10);
  }
  std::string root_;
  journal::RunRow row_;
  canon::Json summary_ = {{"steps", {{{"step", "talk"}, {"kind", "run"}, {"state", "succeeded"}, {"tries", 1}}}}};
};

TEST_F(PageLogTest, CountsAllHitsAndGivesTheFirstNumbers) {
  const page::LogHits hits = find("even");
  EXPECT_EQ(hits.lines, 1500);
  EXPECT_EQ(hits.numbers.size(), 1000U);
  EXPECT_EQ(hits.numbers.front(), 2);
  EXPECT_EQ(hits.shown.size(), 10U);
  EXPECT_EQ(find("^odd 2999$").numbers, std::vector<std::int64_t>{2999});
  EXPECT_EQ(find("").lines, 0);
}

TEST_F(PageLogTest, SaysWhatIsNoPattern) {
  EXPECT_TRUE(find("(").problem.starts_with("no pattern"));
  EXPECT_TRUE(find("\xff\xfe").lines == 0);
}

TEST_F(PageLogTest, ShowsTheStretchThatIsAskedFor) {
  const page::LogView view = log_view(row_, summary_, {.step = "talk", .from = 2995, .count = 500});
  EXPECT_EQ(view.total, 3000);
  EXPECT_EQ(view.from, 2995);
  EXPECT_EQ(view.lines.size(), 6U);
  EXPECT_FALSE(view.is_live);
  EXPECT_EQ(log_view(row_, summary_, {.step = "talk", .count = 500}).lines.front().number, 1);
  summary_["steps"][0]["state"] = "failed";
  EXPECT_EQ(log_view(row_, summary_, {.step = "talk", .count = 500}).lines.back().number, 3000);
  EXPECT_TRUE(log_view(row_, summary_, {.step = "talk", .from = 9000, .count = 500}).lines.empty());
  EXPECT_EQ(log_view(row_, summary_, {.step = "nobody", .count = 500}).total, 0);
}

}  // namespace
}  // namespace stella::console
