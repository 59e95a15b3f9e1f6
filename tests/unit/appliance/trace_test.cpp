// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "appliance/trace/folder.hpp"
#include "appliance/trace/tracer.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::trace {
namespace {

using canon::Json;
using journal::NewEvent;

class TraceTest : public testing::Test {
 protected:
  TraceTest() : home_(files::Home::open(folder_ / "home")), journal_(journal::Journal::open(home_)) {
    journal::RunRow row;
    row.tenant = "plant-7";
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = "planned";
    run_ = journal_.create_run(row, {"pack.run.submitted", {}, {{"by", "Ana"}}}, at(0)).id;
  }
  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  void say(std::int64_t seconds, const NewEvent& event, const std::string& state = {}, int attempt = 0) {
    journal::RunChange change;
    if (!state.empty()) change.state = state;
    if (attempt > 0) change.attempt = attempt;
    journal_.append(run_, std::span(&event, 1), change, at(seconds));
  }
  std::map<std::string, Span> spans() const {
    std::map<std::string, Span> all;
    Tracer tracer(journal_.need(run_), [&](Span&& span) { all.insert_or_assign(span.name, std::move(span)); });
    journal_.for_each_event(run_, 0, [&](const journal::Event& event) { tracer.take(event); });
    tracer.finish();
    return all;
  }
  static Json attribute(const Span& span, const std::string& key) {
    for (const Attribute& one : span.attributes)
      if (one.key == key) return one.value;
    return {};
  }

  tests::TemporaryFolder folder_;
  files::Home home_;
  journal::Journal journal_;
  std::string run_;
};

TEST_F(TraceTest, LeavesOutWhatASecretEndsWith) {
  say(1, {"pack.run.started", {}, Json::object()}, "running", 1);
  say(2, {"pack.secret.leased", {}, {{"name", "token"}, {"version", 3}, {"lastFour", "WXYZ"}}});
  say(3, {"pack.run.succeeded", {}, Json::object()}, "succeeded");
  std::string text;
  write_trace(journal_, journal_.need(run_), [&](std::string_view line) { text += line; });
  EXPECT_NE(text.find("stella.version"), std::string::npos);
  EXPECT_EQ(text.find("WXYZ"), std::string::npos);
}

TEST(Ids, AreHexOfTheRightLengthAndDifferByRunAndPart) {
  EXPECT_EQ(trace_id_of("run:a:1").size(), 32U);
  EXPECT_EQ(span_id_of("run:a:1", "run").size(), 16U);
  EXPECT_EQ(trace_id_of("run:a:1").find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(trace_id_of("run:a:1"), trace_id_of("run:a:2"));
  EXPECT_NE(span_id_of("run:a:1", "run"), span_id_of("run:a:1", "1 attempt"));
  EXPECT_EQ(trace_id_of("run:a:1"), trace_id_of("run:a:1"));
}

TEST(Line, WritesNumbersOf64BitsAsTextAndEnumsAsNumbers) {
  Span span{.id = "00000000000000ab", .parent = {}, .name = "taskrunner.run", .start = {}, .end = {}};
  span.start = clock::Time(std::chrono::milliseconds(1795453200123));
  span.end = span.start + std::chrono::milliseconds(1);
  span.attributes = {{"n", 7}, {"b", true}, {"t", "x"}, {"l", {"a", "b"}}, {"object", {{"left", "out"}}}};
  span.status = Status::error;
  span.message = "why";
  const Json line = Json::parse(write_line(trace_id_of("r"), std::span(&span, 1)));
  const Json& made = line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(made["startTimeUnixNano"], "1795453200123000000");
  EXPECT_EQ(made["endTimeUnixNano"], "1795453200124000000");
  EXPECT_EQ(made["kind"], 1);
  EXPECT_EQ(made["status"], (Json{{"code", 2}, {"message", "why"}}));
  EXPECT_FALSE(made.contains("parentSpanId"));
  ASSERT_EQ(made["attributes"].size(), 4U);
  EXPECT_EQ(made["attributes"][0]["value"], (Json{{"intValue", "7"}}));
  EXPECT_EQ(made["attributes"][1]["value"], (Json{{"boolValue", true}}));
  EXPECT_EQ(made["attributes"][3]["value"]["arrayValue"]["values"].size(), 2U);
}

TEST(Line, MakesHostileTextPrintable) {
  Span span{.id = "00000000000000ab", .parent = {}, .name = "a\nb\xff", .start = {}, .end = {}};
  const std::string line = write_line(trace_id_of("r"), std::span(&span, 1));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\xff'), std::string::npos);
}

TEST_F(TraceTest, PutsTurnsBeneathTheirGroup) {
  say(1, {"pack.step.started", "all", {{"kind", "map"}}}, "running");
  say(2, {"pack.step.started", "all[3]::do", {{"try", 1}}});
  say(4, {"pack.step.finished", "all[3]::do", {{"state", "succeeded"}, {"exit", 0}}});
  say(5, {"pack.step.finished", "all", {{"state", "succeeded"}}});
  say(6, {"pack.run.succeeded", {}, {}}, "succeeded");
  const auto all = spans();
  EXPECT_EQ(all.at("step all[3]::do").parent, all.at("step all").id);
  EXPECT_EQ(all.at("try 1").parent, all.at("step all[3]::do").id);
  EXPECT_EQ(all.at("step all").parent, all.at("attempt 1").id);
  EXPECT_EQ(all.at("attempt 1").parent, all.at("taskrunner.run").id);
  EXPECT_EQ(all.at("taskrunner.run").parent, "");
  EXPECT_EQ(all.at("taskrunner.run").start, at(0));
  EXPECT_EQ(all.at("taskrunner.run").end, at(6));
  EXPECT_EQ(all.at("taskrunner.run").status, Status::good);
}

TEST_F(TraceTest, EndsWhatIsOpenAtTheLastEvent) {
  say(1, {"pack.step.started", "one", {{"try", 1}}}, "running");
  say(9, {"pack.chaos.injected", {}, {{"hook", "pause"}}});
  const auto all = spans();
  EXPECT_EQ(all.at("try 1").end, at(9));
  EXPECT_EQ(attribute(all.at("try 1"), "stella.open"), true);
  EXPECT_EQ(attribute(all.at("taskrunner.run"), "stella.open"), true);
  ASSERT_FALSE(all.at("attempt 1").notes.empty());
  EXPECT_EQ(all.at("attempt 1").notes.back().name, "pack.chaos.injected");
}

TEST_F(TraceTest, TellsAGateThatRanOut) {
  say(10, {"pack.gate.waiting", "ask", {{"gate", "review"}, {"threshold", 2}}}, "waiting");
  say(20, {"pack.gate.waiting", "ask", {{"gate", "review"}, {"by", "Ana"}}});
  say(99, {"pack.gate.expired", "ask", {{"gate", "review"}}});
  say(99, {"pack.run.expired", {}, {{"gate", "review"}}}, "expired");
  const auto all = spans();
  EXPECT_EQ(all.at("gate review").start, at(10));
  EXPECT_EQ(all.at("gate review").end, at(99));
  EXPECT_EQ(all.at("gate review").status, Status::error);
  EXPECT_EQ(all.at("gate review").notes.size(), 1U);  // more time
  EXPECT_EQ(all.at("taskrunner.run").status, Status::error);
}

TEST_F(TraceTest, GivesEachSpanItsOwnIdOverAttemptsAndTries) {
  for (int attempt = 1; attempt <= 3; ++attempt) {
    if (attempt > 1) say(attempt * 100, {"pack.run.resumed", {}, {}}, "running", attempt);
    for (int number = 1; number <= 3; ++number) {
      const int moment = attempt * 100 + number * 10, which = (attempt - 1) * 3 + number;
      say(moment, {"pack.step.started", "flaky", {{"try", which}}});
      say(moment + 1, {"pack.step.finished", "flaky", {{"try", which}, {"state", "failed"}}});
      if (number < 3) say(moment + 2, {"pack.step.retried", "flaky", {{"try", which + 1}}});
    }
    say(attempt * 100 + 90, {"pack.run.failed", {}, {{"message", "no"}}}, "failed");
  }
  std::set<std::string> ids;
  std::size_t count = 0;
  Tracer tracer(journal_.need(run_), [&](Span&& span) {
    ids.insert(span.id);
    ++count;
  });
  journal_.for_each_event(run_, 0, [&](const journal::Event& event) { tracer.take(event); });
  tracer.finish();
  EXPECT_EQ(count, 1U + 3U + 3U + 9U);  // run, attempts, a step in each, tries
  EXPECT_EQ(ids.size(), count);
}

TEST_F(TraceTest, WritesALongRunInSeveralLines) {
  say(1, {"pack.run.started", {}, {}}, "running");
  for (int i = 0; i < 400; ++i) {
    say(2 + i, {"pack.step.started", fmt::format("s{}", i), {{"try", 1}}});
    say(2 + i, {"pack.step.finished", fmt::format("s{}", i), {{"state", "succeeded"}}});
  }
  say(500, {"pack.run.succeeded", {}, {}}, "succeeded");
  std::size_t lines = 0, found = 0;
  write_trace(journal_, journal_.need(run_), [&](std::string_view line) {
    ++lines;
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    found += Json::parse(line)["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
  });
  EXPECT_EQ(lines, 2U);
  EXPECT_EQ(found, 802U);
}

TEST_F(TraceTest, ExportsOnlyWhatHasEndedAndNothingTwice) {
  const std::string out = folder_ / "out";
  std::filesystem::create_directories(out);
  EXPECT_EQ(export_ended(journal_, out, std::nullopt).written, 0U);
  say(5, {"pack.run.cancelled", {}, {}}, "cancelled");
  EXPECT_EQ(export_ended(journal_, out, at(6)).written, 0U);  // it changed before
  EXPECT_EQ(export_ended(journal_, out, std::nullopt).written, 1U);
  const Exported again = export_ended(journal_, out, std::nullopt);
  EXPECT_EQ(again.written, 0U);
  EXPECT_EQ(again.there, 1U);
}

}  // namespace
}  // namespace stella::trace
