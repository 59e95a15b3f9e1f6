// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "appliance/logs/lines.hpp"

namespace stella::logs {
namespace {

class LinesTest : public testing::Test {
 protected:
  LinesTest() {
    char pattern[] = "/tmp/stella-lines-XXXXXX";
    root_ = ::mkdtemp(pattern);
  }
  ~LinesTest() override { std::filesystem::remove_all(root_); }
  static clock::Time at() { return clock::Time(std::chrono::seconds(1795453200)); }
  [[nodiscard]] OneTry one(const std::string& step = "a", int number = 1) const {
    return {root_ + "/logs", step, number};
  }
  // Lines `line 1`... of two steps in turn, over several small chunks.
  void write(int lines) {
    Writer writer = Writer::open(one().folder, {.chunk_bytes = 4096, .index_every = 256});
    Try a = writer.begin("a", 1), b = writer.begin("b", 1);
    for (int i = 1; i <= lines; ++i) {
      a.append(i % 10 == 0 ? Stream::err : Stream::out, fmt::format("line {}\n", i), at());
      if (i % 3 == 0) b.append(Stream::out, "other\nother\n", at());
    }
    static_cast<void>(a.finish(at()));
    static_cast<void>(b.finish(at()));
    writer.sync();
  }
  std::string root_;
};

TEST_F(LinesTest, GivesTheSameLineWhereverTheStretchBegins) {
  write(2000);
  ASSERT_TRUE(std::filesystem::exists(one().folder + "/000004.chunk"));
  for (const std::uint64_t from : {1, 2, 10, 499, 1000, 1500, 1999, 2000}) {
    const Stretch stretch = read_lines(one(), from, 7);
    EXPECT_EQ(stretch.total, 2000U);
    EXPECT_TRUE(stretch.has_ended);
    ASSERT_EQ(stretch.lines.size(), std::min<std::uint64_t>(7, 2001 - from)) << from;
    for (std::size_t i = 0; i < stretch.lines.size(); ++i) {
      EXPECT_EQ(stretch.lines[i].number, from + i);
      EXPECT_EQ(stretch.lines[i].text, fmt::format("line {}", from + i));
      EXPECT_EQ(stretch.lines[i].stream, (from + i) % 10 == 0 ? Stream::err : Stream::out);
    }
  }
  EXPECT_EQ(read_lines(one("b"), 1, 1).total, 1332U);
}

TEST_F(LinesTest, HasNothingBeyondTheEnd) {
  write(20);
  const Stretch stretch = read_lines(one(), 21, 5);
  EXPECT_TRUE(stretch.lines.empty());
  EXPECT_EQ(stretch.total, 20U);
  EXPECT_EQ(read_lines(one("missing"), 1, 5).total, 0U);
  EXPECT_EQ(read_lines({root_ + "/nowhere", "a", 1}, 1, 5).total, 0U);
}

TEST_F(LinesTest, GivesTheEnd) {
  write(300);
  const Stretch stretch = read_end(one(), 3);
  ASSERT_EQ(stretch.lines.size(), 3U);
  EXPECT_EQ(stretch.lines[0].text, "line 298");
  EXPECT_EQ(read_end(one(), 1000).lines.size(), 300U);
}

TEST_F(LinesTest, GrowsWhileItIsWritten) {
  Writer writer = Writer::open(one().folder);
  Try a = writer.begin("a", 1);
  a.append(Stream::out, "one\ntwo\n", at());
  EXPECT_EQ(read_lines(one(), 1, 10).total, 2U);
  EXPECT_FALSE(read_lines(one(), 1, 10).has_ended);
  a.append(Stream::out, "three\nhalf", at());
  const Stretch stretch = read_lines(one(), 3, 10);
  EXPECT_EQ(stretch.total, 4U);
  ASSERT_EQ(stretch.lines.size(), 2U);
  EXPECT_EQ(stretch.lines[1].text, "half");
  a.append(Stream::out, " and half\n", at());
  EXPECT_EQ(read_lines(one(), 4, 10).lines.at(0).text, "half and half");
  EXPECT_EQ(count_lines_of(one()), 4U);
}

TEST_F(LinesTest, HoldsABoundedPartOfALongLine) {
  Writer writer = Writer::open(one().folder);
  Try a = writer.begin("a", 1);
  for (int i = 0; i < 3; ++i) a.append(Stream::out, std::string(kMaxLineShown, 'x'), at());
  a.append(Stream::out, "\nnext\n", at());
  const Stretch stretch = read_lines(one(), 1, 10);
  ASSERT_EQ(stretch.lines.size(), 2U);
  EXPECT_EQ(stretch.lines[0].text.size(), kMaxLineShown);
  EXPECT_EQ(stretch.lines[0].left_out, 2 * kMaxLineShown);
  EXPECT_EQ(stretch.lines[1].number, 2U);
}

// Lines that begin and end within records, and records within lines, over many chunks and index entries.
TEST_F(LinesTest, FindsEveryLineFromEveryPlaceThatAnIndexNames) {
  {
    Writer writer = Writer::open(one().folder, {.chunk_bytes = 3000, .index_every = 200});
    Try a = writer.begin("a", 1), b = writer.begin("b", 1);
    for (int i = 1; i <= 160; ++i) {
      a.append(Stream::out, fmt::format("{} of {}", std::string(static_cast<std::size_t>(i * 37 % 300), 'x'), i), at());
      if (i % 4 == 0) b.append(Stream::out, "other\n", at());
      if (i % 3 != 0) a.append(Stream::err, "\nand\n", at());
    }
    static_cast<void>(a.finish(at()));
    writer.sync();
  }
  std::vector<std::string> all;
  for_each_line(one(), [&](const TextLine& line) {
    all.push_back(line.text);
    return true;
  });
  ASSERT_GT(all.size(), 200U);
  const auto check = [&](const char* what) {
    for (std::size_t from = 1; from <= all.size(); ++from) {
      const Stretch stretch = read_lines(one(), from, 3);
      ASSERT_EQ(stretch.total, all.size()) << what;
      ASSERT_FALSE(stretch.lines.empty()) << what << from;
      for (const TextLine& line : stretch.lines) ASSERT_EQ(line.text, all[line.number - 1]) << what << from;
      ASSERT_EQ(stretch.lines.front().number, from) << what;
      const Stretch end = read_end(one(), all.size() - from + 1);
      ASSERT_EQ(end.lines.size(), all.size() - from + 1) << what;
      ASSERT_EQ(end.lines.front().text, all[from - 1]) << what << from;
    }
  };
  check("with its indexes ");
  for (const auto& file : std::filesystem::directory_iterator(one().folder)) {
    if (file.path().extension() == ".index" && file.path().filename() != "000002.index") std::filesystem::remove(file);
  }
  check("with one of them ");
}

TEST_F(LinesTest, ReadsNothingBeforeThePlaceThatAnIndexNames) {
  {
    Writer writer = Writer::open(one().folder, {.chunk_bytes = 1 << 20, .index_every = 1024});
    Try a = writer.begin("a", 1);
    for (int i = 1; i <= 2000; ++i) a.append(Stream::out, fmt::format("line {}\n", i), at());
    static_cast<void>(a.finish(at()));
    writer.sync();
  }
  std::fstream chunk(one().folder + "/000001.chunk", std::ios::in | std::ios::out | std::ios::binary);
  chunk.seekp(3000);
  chunk.write("damage", 6);
  chunk.close();
  EXPECT_EQ(count_lines_of(one()), 2000U);
  EXPECT_EQ(read_lines(one(), 1500, 2).lines.at(1).text, "line 1501");
  EXPECT_EQ(read_end(one(), 20).lines.at(0).text, "line 1981");
  EXPECT_EQ(last_lines(one(), 2, 100), (std::vector<std::string>{"line 1999", "line 2000"}));
  EXPECT_NE(read_lines(one(), 1, 2000).lines.size(), 2000U);  // what lies before the damage can be read, no more
}

TEST_F(LinesTest, GoesToTheBeginningOfTheChunkWhenAnIndexLies) {
  write(2000);
  std::filesystem::copy_file(one().folder + "/000003.index", one().folder + "/last.index");
  const Stretch before = read_end(one(), 5);
  const auto chunks = std::distance(std::filesystem::directory_iterator(one().folder), {}) / 2;
  std::filesystem::rename(one().folder + "/last.index", fmt::format("{}/{:06}.index", one().folder, chunks));
  const Stretch after = read_end(one(), 5);
  ASSERT_EQ(after.lines.size(), 5U);
  EXPECT_EQ(after.total, before.total);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(after.lines[i].text, before.lines[i].text);
}

TEST_F(LinesTest, CountsWhatAPowerCutLeftOfTheLastChunk) {
  write(2000);
  const auto chunks = std::distance(std::filesystem::directory_iterator(one().folder), {}) / 2;
  const std::string last = fmt::format("{}/{:06}.chunk", one().folder, chunks);
  std::uint64_t least = 2000;
  for (std::uintmax_t size = std::filesystem::file_size(last); size > 50; size -= 41) {
    std::filesystem::resize_file(last, size);
    std::vector<std::string> all;
    for_each_line(one(), [&](const TextLine& line) {
      all.push_back(line.text);
      return true;
    });
    least = all.size();
    ASSERT_EQ(count_lines_of(one()), all.size()) << size;
    ASSERT_EQ(read_lines(one(), all.size() + 1, 5).total, all.size()) << size;
    const Stretch end = read_end(one(), 2);
    ASSERT_EQ(end.total, all.size()) << size;
    ASSERT_EQ(end.lines.size(), 2U) << size;
    ASSERT_EQ(end.lines.back().text, all.back()) << size;
  }
  EXPECT_LT(least, 2000U);
}

TEST_F(LinesTest, WalksAllLinesOnceUntilToldToStop) {
  write(100);
  std::uint64_t sum = 0, calls = 0;
  for_each_line(one(), [&](const TextLine& line) {
    sum += line.number;
    return ++calls < 50;
  });
  EXPECT_EQ(calls, 50U);
  EXPECT_EQ(sum, 50U * 51 / 2);
}

}  // namespace
}  // namespace stella::logs
