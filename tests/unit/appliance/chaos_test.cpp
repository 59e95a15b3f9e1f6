// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "appliance/chaos/inject.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::chaos {
namespace {

using fault::Code;
using fault::Error;

constexpr clock::Time kNow{std::chrono::seconds(1795453200)};

template <class Act>
std::pair<Code, std::string> refusal(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.code(), error.reason()};
  }
  return {Code::internal, "nothing was refused"};
}

class InjectTest : public testing::Test {
 protected:
  std::string make_run(const std::string& state) {
    journal::RunRow draft;
    draft.tenant = "plant-7";
    draft.state = state;
    return journal_.create_run(draft, {"pack.run.submitted", {}, {{"by", "Ana"}}}, kNow).id;
  }
  tests::TemporaryFolder folder_;
  files::Home home_ = files::Home::open(folder_ / "home");
  journal::Journal journal_ = journal::Journal::open(home_);
};

TEST_F(InjectTest, RecordsOneEventThatSaysWhatAndUntilWhen) {
  const std::string run = make_run("running");
  const Injection made = inject(
      journal_, run, {.hook = Hook::drop_network, .span = std::chrono::seconds(5), .step = "pull", .by = "Ana"}, kNow);
  const auto event = journal_.events(run).back();
  EXPECT_EQ(event.type, "pack.chaos.injected");
  EXPECT_EQ(event.step, "pull");
  EXPECT_EQ(canon::canonical(event.data),
            R"({"by":"Ana","forMs":5000,"hook":"drop-network","step":"pull","until":"2026-11-23T17:00:05.000Z"})");
  const Injection read = parse_injection(event.data, event.seq, event.at, run);
  EXPECT_EQ(read.hook, made.hook);
  EXPECT_EQ(read.until, made.until);
  EXPECT_EQ(read.step, "pull");
}

TEST_F(InjectTest, LeavesARunThatHasEndedAlone) {
  for (const char* state : {"succeeded", "failed", "cancelled", "expired"}) {
    const std::string run = make_run(state);
    EXPECT_EQ(refusal([&] { inject(journal_, run, {}, kNow); }), std::pair(Code::usage, std::string("state"))) << state;
    EXPECT_EQ(journal_.events(run).size(), 1U) << state;
  }
  for (const char* state : {"planned", "running", "waiting", "paused"}) {
    const std::string run = make_run(state);
    inject(journal_, run, {}, kNow);
    EXPECT_EQ(journal_.events(run).size(), 2U) << state;
  }
}

TEST(Allowed, OnlyWhereThePolicySaysSo) {
  site::Policy policy;
  const std::pair refused(Code::usage, std::string("chaos"));
  EXPECT_EQ(refusal([&] { require_allowed(nullptr, kNow); }), refused);
  EXPECT_EQ(refusal([&] { require_allowed(&policy, kNow); }), refused);
  policy.chaos_allowed = true;
  EXPECT_NO_THROW(require_allowed(&policy, kNow));
  policy.valid_until = kNow - std::chrono::seconds(1);
  EXPECT_EQ(refusal([&] { require_allowed(&policy, kNow); }).first, Code::site_frozen);
}

TEST(Span, IsBoundedByASecondAndAnHour) {
  EXPECT_EQ(parse_span("1h"), std::chrono::hours(1));
  EXPECT_EQ(parse_span("1s"), std::chrono::seconds(1));
  for (const char* text : {"999ms", "3601s", "P1D", "0s"})
    EXPECT_EQ(refusal([&] { (void)parse_span(text); }), std::pair(Code::usage, std::string("duration"))) << text;
}

TEST(Step, IsOneOfTheRunsWithAHintWhenItIsNot) {
  EXPECT_NO_THROW(require_step("", {}));
  EXPECT_NO_THROW(require_step("pull", {"pull"}));
  try {
    require_step("pul", {"pull", "push"});
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), "step");
    EXPECT_NE(std::string(error.what()).find("did you mean `pull`?"), std::string::npos);
  }
}

TEST(Active, FromItsStartToItsEndAndNotBeforeAClockThatWentBack) {
  const Injection one{.span = std::chrono::seconds(30), .at = kNow, .until = kNow + std::chrono::seconds(30)};
  EXPECT_TRUE(is_active(one, kNow));
  EXPECT_TRUE(is_active(one, kNow + std::chrono::milliseconds(29999)));
  EXPECT_FALSE(is_active(one, kNow + std::chrono::seconds(30)));
  EXPECT_FALSE(is_active(one, kNow - std::chrono::hours(2)));
}

TEST(Journal, IsNotBelievedWhenItNamesNoHookOrAnEndlessOne) {
  const std::pair tampered(Code::journal_tampered, std::string("chaos"));
  canon::Json data = data_of({.until = kNow});
  data["hook"] = "open-gate";
  EXPECT_EQ(refusal([&] { (void)parse_injection(data, 2, kNow, "run"); }), tampered);
  data["hook"] = "pause";
  data["forMs"] = 3600001;
  EXPECT_EQ(refusal([&] { (void)parse_injection(data, 2, kNow, "run"); }).first, Code::journal_tampered);
}

}  // namespace
}  // namespace stella::chaos
