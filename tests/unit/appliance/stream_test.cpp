// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>

#include "appliance/logs/writer.hpp"
#include "appliance/stream/hub.hpp"
#include "appliance/stream/ring.hpp"
#include "appliance/stream/source.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::stream {
namespace {

class FixedClock : public clock::Clock {
 public:
  [[nodiscard]] clock::Time now() const override { return time; }
  clock::Time time{std::chrono::seconds(1795453200)};
};

// As the server: reads until the stream sleeps, then waits to be woken.
class Reader : public http::Sleeper {
 public:
  explicit Reader(std::unique_ptr<http::Stream> stream) : stream_(std::move(stream)) {}
  void wake() override { awake_ = true; }
  // Everything until `done` holds for the text so far, or the end, or ten seconds.
  const std::string& read_until(const std::function<bool(const std::string&)>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::array<char, 4096> block{};
    while (!done(text) && !ended && std::chrono::steady_clock::now() < until) {
      if (!awake_.exchange(false)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      for (;;) {
        awake_ = false;
        const auto portion = stream_->read(block, *this);
        text.append(block.data(), portion.bytes);
        if (portion.next == http::Next::end) ended = true;
        if (portion.bytes == 0 && portion.next != http::Next::more) break;
      }
    }
    return text;
  }
  std::string text;
  bool ended = false;

 private:
  std::unique_ptr<http::Stream> stream_;
  std::atomic<bool> awake_ = true;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class StreamTest : public testing::Test {
 protected:
  StreamTest() : home_(files::Home::open(folder_ / "home")), journal_(journal::Journal::open(home_)) {
    journal::RunRow row;
    row.tenant = "plant-7";
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = "running";
    run_ = journal_.create_run(row, {"pack.run.submitted", {}, {}}, clock_.time);
  }
  void say(int times, const std::string& state = "running") {
    for (int i = 0; i < times; ++i) {
      const std::vector<journal::NewEvent> one = {{"pack.step.output", "a", {{"n", i}}}};
      journal_.append(run_.id, one, {.state = state}, clock_.time);
    }
  }
  [[nodiscard]] Subject events() const { return {.run = run_.id, .kind = Kind::events}; }
  [[nodiscard]] Subject log() const { return {.run = run_.id, .kind = Kind::logs}; }
  [[nodiscard]] std::string logs_folder() const { return run_.folder + "/logs"; }

  tests::TemporaryFolder folder_;
  files::Home home_;
  FixedClock clock_;
  journal::Journal journal_;
  journal::RunRow run_;
};

TEST(Mark, IsReadAsItIsWritten) {
  for (const Mark& mark : {Mark{0, 0, 0}, Mark{3, 81920, 0}, Mark{3, 81920, 512}})
    EXPECT_EQ(parse_mark(Kind::logs, text_of(Kind::logs, mark)), mark);
  EXPECT_EQ(parse_mark(Kind::events, "57"), (Mark{57, 0, 0}));
  for (const char* bad : {"", "x", "-1", "1.", ".1", "1.2.3.4", "1.2.", "99999999999999999999", "1 ", "5000000000.1"})
    EXPECT_FALSE(parse_mark(Kind::logs, bad)) << bad;
  EXPECT_FALSE(parse_mark(Kind::events, "1.2"));
}

TEST(Ring, KeepsTheNewestMessagesWhole) {
  Ring ring(100, {});
  for (std::uint64_t i = 1; i <= 50; ++i) ring.append("message " + std::to_string(i) + "\n", {i, 0, 0});
  EXPECT_LE(ring.head() - ring.tail(), 100U);
  EXPECT_EQ(ring.last(), (Mark{50, 0, 0}));
  const Mark base = ring.base();
  EXPECT_EQ(ring.find(base), ring.tail());
  EXPECT_FALSE(ring.find({base.first - 1, 0, 0}));
  std::array<char, 200> block{};
  const std::size_t bytes = ring.copy(ring.tail(), block);
  EXPECT_TRUE(std::string(block.data(), bytes).starts_with("message " + std::to_string(base.first + 1) + "\n"));
  EXPECT_EQ(ring.tail() + bytes, ring.head());
  // Where little fits: whole messages first, a part of one only when not one fits.
  const std::size_t some = ring.copy(ring.tail(), std::span(block).first(25));
  EXPECT_TRUE(ring.mark_at(ring.tail() + some));
  EXPECT_EQ(ring.copy(ring.tail(), std::span(block).first(5)), 5U);
  EXPECT_FALSE(ring.mark_at(ring.tail() + 5));
}

TEST_F(StreamTest, GivesAllEventsAndEndsWithTheRun) {
  say(20);
  say(1, "succeeded");
  clock_.time += std::chrono::seconds(5);
  Hub hub(home_, clock_);
  Reader reader(hub.watch(events(), {}));
  reader.read_until([](const std::string&) { return false; });
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(count(reader.text, "\nid: ") + 0U, 22U);
  EXPECT_NE(reader.text.find("event: end\ndata: {\"runId\":\"" + run_.id), std::string::npos);
}

TEST_F(StreamTest, GoesOnAfterAnIdWithoutLossOrRepetition) {
  say(20);
  Hub hub(home_, clock_);
  Reader reader(hub.watch(events(), {.after = Mark{15, 0, 0}}));
  reader.read_until([](const std::string& text) { return text.find("id: 21\n") != std::string::npos; });
  EXPECT_EQ(reader.text.find("id: 15\n"), std::string::npos);
  say(3);
  reader.read_until([](const std::string& text) { return text.find("id: 24\n") != std::string::npos; });
  for (int i = 16; i <= 24; ++i) EXPECT_EQ(count(reader.text, "id: " + std::to_string(i) + "\n"), 1U) << i;
}

TEST_F(StreamTest, SaysWhenAnIdIsOfNoTimeThatItKnows) {
  Hub hub(home_, clock_);
  Reader reader(hub.watch(events(), {.after = Mark{1000, 0, 0}}));
  reader.read_until([](const std::string& text) { return text.find("event: gap") != std::string::npos; });
  EXPECT_NE(reader.text.find("\"from\":\"1000\""), std::string::npos);
}

TEST_F(StreamTest, EndsForWhomeverIsNoLongerLetIn) {
  say(3);
  std::atomic<bool> good = true;
  Hub hub(home_, clock_, [&](const std::string& pass) { return pass != "token a" || good; });
  Reader gone(hub.watch(events(), {}, "token a")), stays(hub.watch(events(), {}, "token b"));
  const auto has_third = [](const std::string& text) { return text.find("id: 3\n") != std::string::npos; };
  gone.read_until(has_third);
  good = false;
  gone.read_until([](const std::string&) { return false; });
  EXPECT_TRUE(gone.ended);
  EXPECT_NE(gone.text.find("event: end\ndata: {\"reason\":\"access\""), std::string::npos) << gone.text;
  say(1);
  stays.read_until([](const std::string& text) { return text.find("id: 5\n") != std::string::npos; });
  EXPECT_EQ(count(stays.text, "event: "), 0U);
  EXPECT_EQ(count(stays.text, "id: "), 5U);
}

TEST_F(StreamTest, SendsEverybodyAwayToAskAgainWhenNobodyCanTellWhoIsLetIn) {
  say(1);
  Hub hub(home_, clock_, [](const std::string&) -> bool { throw std::runtime_error("the file cannot be read"); });
  Reader reader(hub.watch(events(), {}, "token a"));
  reader.read_until([](const std::string&) { return false; });
  EXPECT_TRUE(reader.ended);
}

TEST_F(StreamTest, GivesALogOfAnyAgeFromItsBeginning) {
  auto writer = logs::Writer::open(logs_folder(), {.chunk_bytes = 300 << 10, .index_every = 4096});
  auto one = writer.begin("a", 1);
  std::string expected;
  const auto print = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string line = "line " + std::to_string(i) + std::string(60, '.') + "\n";
      one.append(logs::Stream::out, line, clock_.time);
      expected += line;
    }
  };
  print(0, 12000);  // nearly a megabyte: more than is held from its beginning
  Hub hub(home_, clock_);
  Reader early(hub.watch(log(), {})), late(hub.watch(log(), {.at_end = true}));
  // Viewers are placed in the order in which they came: when this one gets something, the late one stands at the end.
  Reader placed(hub.watch(log(), {}));
  placed.read_until([](const std::string& text) { return text.find("data: {") != std::string::npos; });
  print(12000, 12010);
  const auto has_last = [](const std::string& text) { return text.find("line 12009.") != std::string::npos; };
  early.read_until(has_last);
  late.read_until(has_last);
  std::string text;
  for (std::size_t at = early.text.find("data: {"); at != std::string::npos; at = early.text.find("data: {", at)) {
    const std::size_t end = early.text.find('\n', at);
    text += canon::Json::parse(early.text.substr(at + 6, end - at - 6)).value("text", "");
    at = end;
  }
  EXPECT_EQ(text, expected);
  EXPECT_EQ(late.text.find("line 11999."), std::string::npos);
  EXPECT_NE(late.text.find("line 12000."), std::string::npos);
}

TEST_F(StreamTest, CutsLargeRecordsAndGoesOnWithinThem) {
  auto writer = logs::Writer::open(logs_folder());
  auto one = writer.begin("a", 1);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i) + " with \xc3\xa9\n";
  one.append(logs::Stream::out, text, clock_.time);
  one.append(logs::Stream::err, std::string(100000, 'x'), clock_.time);
  std::vector<LogPiece> all;
  LogPieces whole(logs_folder(), "", {});
  while (auto piece = whole.next()) all.push_back(std::move(*piece));
  ASSERT_GT(all.size(), 5U);
  std::string joined;
  for (const LogPiece& piece : all) joined += piece.data.value("text", "");
  EXPECT_EQ(joined, text + std::string(100000, 'x'));
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    EXPECT_LT(all[i].end, all[i + 1].end);
    LogPieces rest(logs_folder(), "", all[i].end);
    const auto next = rest.next();
    ASSERT_TRUE(next) << i;
    EXPECT_EQ(next->data, all[i + 1].data) << i;
    EXPECT_EQ(next->end, all[i + 1].end) << i;
  }
}

TEST_F(StreamTest, TellsASlowViewerWhatItMissed) {
  Hub hub(home_, clock_);
  auto writer = logs::Writer::open(logs_folder());
  auto one = writer.begin("a", 1);
  Reader slow(hub.watch(log(), {})), quick(hub.watch(log(), {}));
  slow.read_until([](const std::string& text) { return !text.empty(); });
  std::size_t lines = 0;
  const auto print = [&] {
    for (int i = 0; i < 200; ++i) {
      one.append(logs::Stream::out, "line " + std::to_string(lines) + std::string(1000, '.') + "\n", clock_.time);
      ++lines;
    }
    quick.read_until([&](const std::string& text) {
      return text.find("line " + std::to_string(lines - 1) + ".") != std::string::npos;
    });
  };
  for (int i = 0; i < 12; ++i) print();  // more than a ring holds
  slow.read_until([&](const std::string& text) {
    return text.find("line " + std::to_string(lines - 1) + ".") != std::string::npos;
  });
  EXPECT_EQ(count(quick.text, "event: gap"), 0U);
  EXPECT_EQ(count(quick.text, "line "), lines);
  EXPECT_EQ(count(slow.text, "event: gap"), 1U);
  EXPECT_NE(slow.text.find("/log/pieces?after="), std::string::npos);
}

TEST_F(StreamTest, EndsAllStreamsWithAHintWhenItCloses) {
  Hub hub(home_, clock_);
  Reader reader(hub.watch(events(), {}));
  reader.read_until([](const std::string& text) { return text.find("id: 1\n") != std::string::npos; });
  hub.close();
  reader.read_until([](const std::string&) { return false; });
  EXPECT_TRUE(reader.ended);
  EXPECT_TRUE(reader.text.ends_with("retry: 1000\nevent: restart\ndata: {}\n\n"));
}

TEST_F(StreamTest, TellsViewersOfADamagedLogAndServesTheOthers) {
  {
    auto writer = logs::Writer::open(logs_folder());
    auto one = writer.begin("a", 1);
    one.append(logs::Stream::out, "hello\n", clock_.time);
  }
  std::FILE* file = std::fopen((logs_folder() + "/000001.chunk").c_str(), "r+b");
  ASSERT_NE(file, nullptr);
  std::fputs("this is no chunk at all", file);
  std::fclose(file);
  Hub hub(home_, clock_);
  Reader broken(hub.watch(log(), {})), fine(hub.watch(events(), {}));
  broken.read_until([](const std::string&) { return false; });
  EXPECT_NE(broken.text.find("event: trouble\ndata: {\"code\":\"ERR_JOURNAL_TAMPERED\""), std::string::npos);
  fine.read_until([](const std::string& text) { return text.find("id: 1\n") != std::string::npos; });
  EXPECT_FALSE(fine.ended);
}

}  // namespace
}  // namespace stella::stream
