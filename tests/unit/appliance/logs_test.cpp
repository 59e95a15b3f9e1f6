// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "appliance/logs/reader.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::logs {
namespace {

class LogsTest : public testing::Test {
 protected:
  LogsTest() {
    char pattern[] = "/tmp/stella-logs-XXXXXX";
    root_ = ::mkdtemp(pattern);
    folder_ = root_ + "/logs";
  }
  ~LogsTest() override { std::filesystem::remove_all(root_); }
  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  std::string chunk(int number = 1) const { return folder_ + "/00000" + std::to_string(number) + ".chunk"; }
  std::string index(int number = 1) const { return folder_ + "/00000" + std::to_string(number) + ".index"; }
  // All that is asked for, as `step.try>text` records.
  std::vector<std::string> all(Query query = {}) const {
    Reader reader(folder_, std::move(query));
    std::vector<std::string> found;
    while (const auto piece = reader.next()) {
      if (!piece->last)
        found.push_back(std::string(piece->step) + "." + std::to_string(piece->number) + ">" +
                        std::string(piece->bytes));
    }
    return found;
  }
  std::string root_, folder_;
};

using Texts = std::vector<std::string>;

TEST_F(LogsTest, GivesBackWhatWasAppendedInOrderAndByTry) {
  Writer writer = Writer::open(folder_);
  Try a = writer.begin("a", 1), b = writer.begin("flash[3]::one", 2);
  a.append(Stream::out, "one\n", at(0));
  b.append(Stream::err, "two\n", at(1));
  a.append(Stream::err, "three\n", at(2));
  const Whole whole = a.finish(at(3));
  EXPECT_EQ(whole.size_bytes, 10U);
  EXPECT_EQ(whole.lines, 2U);
  EXPECT_EQ(whole.digest, canon::sha256(std::string_view("one\nthree\n")).tagged());
  EXPECT_EQ(all(), (Texts{"a.1>one\n", "flash[3]::one.2>two\n", "a.1>three\n"}));
  EXPECT_EQ(all({.step = "a"}), (Texts{"a.1>one\n", "a.1>three\n"}));
  EXPECT_EQ(text_of(folder_, "flash[3]::one", 2), "two\n");
  EXPECT_EQ(all({.since = at(1)}), (Texts{"flash[3]::one.2>two\n", "a.1>three\n"}));
  EXPECT_EQ(all({.step = "a", .number = 1, .line = 2}).back(), "a.1>three\n");
}

TEST_F(LogsTest, CostsNothingForAStepThatPrintsNothing) {
  Writer writer = Writer::open(folder_);
  Try quiet = writer.begin("quiet", 1);
  EXPECT_EQ(quiet.finish(at(0)).digest, canon::sha256(std::string_view()).tagged());
  writer.sync();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_TRUE(tries(folder_).empty());
}

TEST_F(LogsTest, DigestsPartsThatMeetWithoutGaps) {
  Writer writer = Writer::open(folder_);
  Try one = writer.begin("a", 1);
  one.append(Stream::out, "first\n", at(0));
  const Part first = one.part();
  EXPECT_EQ(first.digest, canon::sha256(std::string_view("first\n")).tagged());
  EXPECT_EQ(one.part().size_bytes, 0U);
  one.append(Stream::out, "second\n", at(0));
  const Part second = one.part();
  EXPECT_EQ(second.offset, 6U);
  EXPECT_EQ(second.digest, canon::sha256(std::string_view("second\n")).tagged());
}

TEST_F(LogsTest, GoesOnInANewChunkAndFindsEveryTryAcrossThem) {
  {
    Writer writer = Writer::open(folder_, {.chunk_bytes = 4096, .index_every = 512});
    Try a = writer.begin("a", 1), b = writer.begin("b", 1);
    for (int i = 0; i < 300; ++i) {
      a.append(Stream::out, "line " + std::to_string(i) + " of the long one\n", at(i));
      if (i == 290) b.append(Stream::out, "late\n", at(i));
    }
    (void)a.finish(at(300));
    (void)b.finish(at(300));
    writer.sync();
  }
  EXPECT_TRUE(std::filesystem::exists(chunk(3)));
  EXPECT_EQ(text_of(folder_, "b", 1), "late\n");
  EXPECT_EQ(all({.step = "a", .number = 1}).size(), 300U);
  EXPECT_EQ(all({.step = "a", .since = at(298)}).size(), 2U);
  const auto found = tries(folder_);
  ASSERT_EQ(found.size(), 2U);
  std::string text;
  EXPECT_EQ(stream_text(folder_, found[1], [&](std::string_view bytes) { text += bytes; }), 5U);
  // Without its indexes it reads the same.
  for (int i = 1; i < 6; ++i) std::filesystem::remove(index(i));
  EXPECT_EQ(text_of(folder_, "b", 1), "late\n");
  EXPECT_EQ(tries(folder_).size(), 2U);
  Reader from_start(folder_, {});
  Position middle;
  for (int i = 0; i < 100; ++i) middle = from_start.next()->next;
  Reader again(folder_, {.from = middle});
  EXPECT_EQ(again.next()->offset, from_start.next()->offset);
}

TEST_F(LogsTest, CutsATornTailAtEveryByteOfTheLastRecord) {
  std::string whole;
  std::uintmax_t before = 0;
  {
    Writer writer = Writer::open(folder_);
    Try one = writer.begin("a", 1);
    one.append(Stream::out, "kept\n", at(0));
    before = std::filesystem::file_size(chunk());
    one.append(Stream::out, "torn away\n", at(1));
    whole = files::read_input(chunk(), {1 << 20});
  }
  for (std::size_t length = before; length < whole.size(); ++length) {
    for (const bool zeros : {false, true}) {
      std::string torn = whole.substr(0, length);
      if (zeros) torn.resize(whole.size(), '\0');  // the length was recorded, the bytes were not
      std::ofstream(chunk(), std::ios::binary | std::ios::trunc) << torn;
      EXPECT_EQ(all(), Texts{"a.1>kept\n"}) << length;
      {
        Writer writer = Writer::open(folder_);
        EXPECT_EQ(std::filesystem::file_size(chunk()), before);
        Try next = writer.begin("a", 2);
        next.append(Stream::out, "again\n", at(2));
      }
      EXPECT_EQ(all(), (Texts{"a.1>kept\n", "a.2>again\n"})) << length;
    }
  }
}

TEST_F(LogsTest, StartsAChunkAnewThatAPowerCutLeftWithoutItsFirstBytes) {
  std::filesystem::create_directories(folder_);
  for (const std::string& left : {std::string(), std::string("stella"), std::string(100, '\0')}) {
    std::ofstream(chunk(), std::ios::binary | std::ios::trunc) << left;
    EXPECT_TRUE(all().empty());
    Writer writer = Writer::open(folder_);
    Try one = writer.begin("a", 1);
    one.append(Stream::out, "x\n", at(0));
    EXPECT_EQ(all(), Texts{"a.1>x\n"});
  }
}

TEST_F(LogsTest, NamesDamageBeforeTheEnd) {
  {
    Writer writer = Writer::open(folder_, {.chunk_bytes = 100, .index_every = 64});
    Try one = writer.begin("a", 1);
    for (int i = 0; i < 10; ++i) one.append(Stream::out, std::string(60, 'x') + "\n", at(i));
  }
  std::fstream(chunk(), std::ios::binary | std::ios::in | std::ios::out).seekp(100).put('!');
  try {
    all();
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::journal_tampered);
    EXPECT_EQ(error.reason(), "log");
  }
  files::write_atomically(chunk(), "what is this, surely no chunk", 0600);
  EXPECT_THROW(all(), fault::Error);
}

TEST_F(LogsTest, FollowsAWriterAcrossChunks) {
  Writer writer = Writer::open(folder_, {.chunk_bytes = 200, .index_every = 64});
  Reader reader(folder_, {});
  EXPECT_FALSE(reader.next());
  Try one = writer.begin("a", 1);
  for (int i = 0; i < 20; ++i) {
    one.append(Stream::out, std::to_string(i) + std::string(40, '.') + "\n", at(i));
    const auto piece = reader.next();
    ASSERT_TRUE(piece) << i;
    EXPECT_TRUE(piece->bytes.starts_with(std::to_string(i)));
    EXPECT_FALSE(reader.next());
  }
}

TEST_F(LogsTest, TakesSeveralLanesWhileTwoReadersFollow) {
  constexpr int kLanes = 4, kLines = 400;
  Writer writer = Writer::open(folder_, {.chunk_bytes = 8192, .index_every = 512});
  std::vector<std::string> digests(kLanes);
  std::vector<std::jthread> threads;
  for (int lane = 0; lane < kLanes; ++lane) {
    threads.emplace_back([&, lane] {
      Try one = writer.begin("lane" + std::to_string(lane), 1);
      for (int i = 0; i < kLines; ++i) one.append(Stream::out, std::to_string(i) + "\n", at(i));
      digests[static_cast<std::size_t>(lane)] = one.finish(at(kLines)).digest;
      writer.sync();
    });
  }
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      Reader reader(folder_, {});
      for (int ends = 0; ends < kLanes;) {
        if (const auto piece = reader.next())
          ends += piece->last ? 1 : 0;
        else
          std::this_thread::yield();
      }
    });
  }
  threads.clear();
  for (int lane = 0; lane < kLanes; ++lane) {
    const std::string text = text_of(folder_, "lane" + std::to_string(lane), 1);
    EXPECT_EQ(canon::sha256(text).tagged(), digests[static_cast<std::size_t>(lane)]);
  }
}

TEST_F(LogsTest, ReadsThePlainFilesOfBefore) {
  std::filesystem::create_directories(folder_);
  files::write_atomically(folder_ + "/check.1.log", "old\n", 0600);
  files::write_atomically(folder_ + "/silent.1.log", "", 0600);
  Writer writer = Writer::open(folder_);
  Try one = writer.begin("check", 2);
  one.append(Stream::out, "new\n", at(0));
  EXPECT_EQ(all({.step = "check"}), (Texts{"check.1>old\n", "check.2>new\n"}));
  EXPECT_EQ(tries(folder_).size(), 2U);
}

}  // namespace
}  // namespace stella::logs
