// SPDX-License-Identifier: Apache-2.0
// What a Meter holds is what the journal says: step by step, after removals, with hostile names.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "appliance/telemetry/meter.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::telemetry {
namespace {

using journal::NewEvent;

class MeterTest : public testing::Test {
 protected:
  MeterTest() : home_(files::Home::open(folder_ / "home")), journal_(journal::Journal::open(home_)) {}

  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  std::string start(std::int64_t seconds, const std::string& tenant = "plant-7") {
    journal::RunRow row;
    row.tenant = tenant;
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = "planned";
    return writer_.create_run(row, {"pack.run.submitted", {}, {}}, at(seconds)).id;
  }
  void say(const std::string& run, std::int64_t seconds, const NewEvent& event, const std::string& state = {},
           int attempt = 0) {
    journal::RunChange change;
    if (!state.empty()) change.state = state;
    if (attempt > 0) change.attempt = attempt;
    writer_.append(run, std::span(&event, 1), change, at(seconds));
  }
  std::string finished(std::int64_t seconds, const std::string& state, const std::string& tenant = "plant-7") {
    const std::string run = start(seconds, tenant);
    say(run, seconds + 1, {"pack.step.started", "build", {{"try", 1}}}, "running");
    say(run, seconds + 3, {"pack.step.finished", "build", {{"try", 1}, {"state", "succeeded"}, {"elapsedMs", 1500}}});
    say(run, seconds + 4, {"pack.run." + state, {}, {}}, state);
    return run;
  }
  void remove(const std::string& run, std::int64_t seconds) {
    (void)writer_.remove_run(run, {"Ana", "old", totals_of(writer_, writer_.need(run))}, at(seconds));
  }
  std::string text(Meter& meter, std::int64_t seconds) const {
    meter.catch_up();
    return write_text(meter.families(at(seconds)));
  }
  std::string fresh(std::int64_t seconds) const {
    Meter meter(journal_);
    return text(meter, seconds);
  }
  static void expect_line(const std::string& text, const std::string& line) {
    EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
  }

  tests::TemporaryFolder folder_;
  files::Home home_;
  journal::Journal journal_;                                 // the reader's
  journal::Journal writer_ = journal::Journal::open(home_);  // another process's
};

TEST_F(MeterTest, CountsActiveRunsOfEachTenant) {
  finished(0, "succeeded", "plant-8");
  const std::string run = start(10);
  expect_line(fresh(20), "pack_run_active{tenant=\"plant-7\"} 1");
  expect_line(fresh(20), "pack_run_active{tenant=\"plant-8\"} 0");
  say(run, 30, {"pack.run.cancelled", {}, {}}, "cancelled");
  expect_line(fresh(40), "pack_run_active{tenant=\"plant-7\"} 0");
}

TEST_F(MeterTest, MeasuresStepsByTheirKind) {
  const std::string run = start(0);
  say(run, 1, {"pack.step.started", "all", {{"kind", "map"}}});
  say(run, 2, {"pack.step.started", "all[0]::do", {{"try", 1}}});
  say(run, 5, {"pack.step.finished", "all[0]::do", {{"state", "failed"}, {"elapsedMs", 2400}}});
  say(run, 5, {"pack.step.retried", "all[0]::do", {{"try", 2}}});
  say(run, 6, {"pack.step.started", "all[0]::do", {{"try", 2}}});
  say(run, 7, {"pack.step.finished", "all[0]::do", {{"state", "unknown"}, {"reason", "runner-died"}}});
  say(run, 9, {"pack.step.finished", "all", {{"kind", "map"}, {"state", "succeeded"}}});
  const std::string now = fresh(10);
  expect_line(now, "pack_step_duration_seconds_sum{step_type=\"run\"} 2.4");
  expect_line(now, "pack_step_duration_seconds_count{step_type=\"run\"} 1");  // nobody knows how long the other took
  expect_line(now, "pack_step_duration_seconds_sum{step_type=\"map\"} 8");
  expect_line(now, "pack_step_retries_total{tenant=\"plant-7\"} 1");
}

TEST_F(MeterTest, MeasuresAGateFromItsFirstRequestToItsDecision) {
  const std::string run = start(0);
  say(run, 100, {"pack.gate.waiting", "ask", {{"gate", "flash[0]::review"}}}, "waiting");
  say(run, 400, {"pack.gate.waiting", "ask", {{"gate", "flash[0]::review"}, {"by", "Ana"}}});  // more time
  expect_line(fresh(2000), "pack_gate_waiting_seconds{tenant=\"plant-7\",gate=\"review\"} 1900");
  EXPECT_EQ(fresh(2000).find("pack_gate_wait_seconds_count"), std::string::npos);
  say(run, 2100, {"pack.gate.approved", "ask", {{"gate", "flash[0]::review"}}}, "running");
  const std::string now = fresh(3000);
  expect_line(now, "pack_gate_wait_seconds_sum{gate=\"review\"} 2000");
  expect_line(now, "pack_gate_wait_seconds_bucket{gate=\"review\",le=\"1800\"} 0");
  expect_line(now, "pack_gate_wait_seconds_bucket{gate=\"review\",le=\"3600\"} 1");
  EXPECT_EQ(now.find("pack_gate_waiting_seconds{"), std::string::npos);
}

TEST_F(MeterTest, TellsTheShareOfRunsThatSucceededInTheWindow) {
  finished(0, "failed");
  EXPECT_EQ(fresh(0 + 8 * 86400).find("pack_run_success_ratio{"), std::string::npos);
  for (int i = 0; i < 3; ++i) finished(86400 + i, "succeeded");
  finished(86500, "cancelled");
  expect_line(fresh(90000), "pack_run_success_ratio{tenant=\"plant-7\"} 0.75");
  expect_line(fresh(7 * 86400 + 100), "pack_run_success_ratio{tenant=\"plant-7\"} 1");
}

TEST_F(MeterTest, CountsARunThatWasMendedAsWhatItIsNow) {
  const std::string run = finished(0, "failed");
  say(run, 100, {"pack.run.resumed", {}, {}}, "running", 2);
  EXPECT_EQ(fresh(110).find("pack_run_success_ratio{"), std::string::npos);
  say(run, 120, {"pack.run.succeeded", {}, {}}, "succeeded");
  const std::string now = fresh(130);
  expect_line(now, "pack_run_success_ratio{tenant=\"plant-7\"} 1");
  expect_line(now, "pack_run_ended_total{tenant=\"plant-7\",state=\"failed\"} 1");
  expect_line(now, "pack_run_ended_total{tenant=\"plant-7\",state=\"succeeded\"} 1");
}

TEST_F(MeterTest, SaysWhichEvidenceWasNotExported) {
  const std::string run = finished(0, "succeeded");
  expect_line(fresh(50), "stella_evidence_unsealed{tenant=\"plant-7\"} 1");
  say(run, 60, {"pack.evidence.sealed", {}, {{"bag", "b"}, {"list", "sha256:1"}}});
  expect_line(fresh(104), "stella_evidence_unexported{tenant=\"plant-7\"} 1");
  expect_line(fresh(104), "stella_evidence_unexported_seconds{tenant=\"plant-7\"} 100");
  say(run, 110, {"pack.evidence.exported", {}, {{"list", "sha256:2"}}});  // another bag
  expect_line(fresh(120), "stella_evidence_unexported{tenant=\"plant-7\"} 1");
  say(run, 130, {"pack.evidence.exported", {}, {{"list", "sha256:1"}}});
  expect_line(fresh(140), "stella_evidence_unexported{tenant=\"plant-7\"} 0");
  expect_line(fresh(140), "stella_evidence_unexported_seconds{tenant=\"plant-7\"} 0");
}

TEST_F(MeterTest, KeepsTheSumsOfRemovedRuns) {
  Meter live(journal_);
  const std::string first = finished(0, "succeeded"), second = finished(10, "failed");
  const std::string before = text(live, 100);
  remove(first, 200);
  for (const std::string& now : {text(live, 300), fresh(300)}) {
    expect_line(now, "pack_run_ended_total{tenant=\"plant-7\",state=\"succeeded\"} 1");
    expect_line(now, "pack_step_duration_seconds_count{step_type=\"run\"} 2");
    expect_line(now, "pack_runs{tenant=\"plant-7\",state=\"succeeded\"} 0");
  }
  remove(second, 400);
  EXPECT_EQ(text(live, 500), fresh(500));
}

TEST_F(MeterTest, CountsARunThatCameAndWentUnseen) {
  Meter live(journal_);
  const std::string half = start(0);
  say(half, 1, {"pack.step.started", "build", {{"try", 1}}}, "running");
  (void)text(live, 2);
  say(half, 5, {"pack.step.finished", "build", {{"state", "succeeded"}, {"elapsedMs", 4000}}});
  say(half, 6, {"pack.run.succeeded", {}, {}}, "succeeded");
  remove(half, 7);
  remove(finished(8, "failed"), 20);
  const std::string now = text(live, 30);
  expect_line(now, "pack_step_duration_seconds_count{step_type=\"run\"} 2");
  EXPECT_EQ(now, fresh(30));
}

TEST_F(MeterTest, AddsUpWhatIsBeyondTheSeries) {
  const std::string run = start(0);
  for (std::size_t i = 0; i < kMaxSeries + 50; ++i) {
    const std::string gate = fmt::format("gate-{:03}", kMaxSeries + 50 - i);
    say(run, static_cast<std::int64_t>(2 * i), {"pack.gate.waiting", gate, {{"gate", gate}}});
    say(run, static_cast<std::int64_t>(2 * i + 1), {"pack.gate.approved", gate, {{"gate", gate}}});
  }
  const std::string now = fresh(1000);
  expect_line(now, "pack_gate_wait_seconds_count{gate=\"other\"} 50");
  expect_line(now, "pack_gate_wait_seconds_count{gate=\"gate-150\"} 1");  // the first that was seen
  EXPECT_EQ(now.find("gate=\"gate-001\""), std::string::npos);
}

TEST_F(MeterTest, GivesHostileNamesOneLineEach) {
  const std::string run = start(0);
  say(run, 1, {"pack.gate.waiting", "g", {{"gate", "a\"} 1\nevil 2 \\"}}});
  say(run, 2, {"pack.step.started", "x", {{"kind", "a\"\n"}}});
  say(run, 3, {"pack.step.finished", "x", {{"state", "succeeded"}}});
  const std::string now = fresh(10);
  EXPECT_EQ(now.find("\nevil"), std::string::npos) << now;
  expect_line(now, "pack_step_duration_seconds_count{step_type=\"other\"} 1");
}

// One of the ways a run may go on, chosen by the seed.
NewEvent any_event(std::mt19937& random, std::string& state, int& attempt) {
  const std::string step = fmt::format("s{}", random() % 4), gate = fmt::format("g{}", random() % 3);
  switch (random() % 12) {
    case 0:
      return {"pack.step.started", step, {{"try", 1}}};
    case 1:
      return {"pack.step.started", step, {{"kind", "loop"}}};
    case 2:
      return {"pack.step.finished", step, {{"state", "succeeded"}, {"elapsedMs", random() % 100000}}};
    case 3:
      return {"pack.step.finished", step, {{"state", "unknown"}}};
    case 4:
      return {"pack.step.retried", step, {}};
    case 5:
      return {"pack.gate.waiting", step, {{"gate", gate}}};
    case 6:
      return {random() % 2 == 0 ? "pack.gate.approved" : "pack.gate.expired", step, {{"gate", gate}}};
    case 7:
      return {"pack.network.blocked", step, {{"count", random() % 5}}};
    case 8:
      return {"pack.evidence.sealed", {}, {{"list", fmt::format("l{}", random() % 2)}}};
    case 9:
      return {"pack.evidence.exported", {}, {{"list", fmt::format("l{}", random() % 2)}}};
    case 10:
      state = std::string(kEnds[random() % kEnds.size()]);
      return {"pack.run." + state, {}, {}};
    default:
      state = "running";
      ++attempt;
      return {"pack.run.resumed", {}, {}};
  }
}

TEST_F(MeterTest, HoldsAtAnyTimeWhatANewOneWouldCompute) {
  std::mt19937 random(20261128);
  Meter live(journal_);
  struct One {
    std::string id, state = "planned";
    int attempt = 1;
  };
  std::vector<One> runs;
  for (std::int64_t now = 0; now < 1500; ++now) {
    if (runs.size() < 3 || random() % 20 == 0) runs.push_back({start(now, fmt::format("t{}", random() % 3))});
    const std::size_t place = random() % runs.size();
    One& run = runs[place];
    const bool has_ended = std::find(kEnds.begin(), kEnds.end(), run.state) != kEnds.end();
    if (has_ended && random() % 3 == 0) {
      remove(run.id, now);
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(place));
    } else {
      const NewEvent event = any_event(random, run.state, run.attempt);
      say(run.id, now, event, run.state, run.attempt);
    }
    if (random() % 10 == 0) {
      ASSERT_EQ(text(live, now + 1), fresh(now + 1)) << "at " << now;
    }
  }
  Meter again(journal_);
  again.catch_up();
  live.catch_up();
  EXPECT_EQ(live.totals(), again.totals());
  EXPECT_EQ(Totals::from_json(again.totals().to_json()), again.totals());
}

TEST_F(MeterTest, NeverLetsACounterGoBack) {
  std::mt19937 random(7);
  Meter live(journal_);
  std::int64_t last = 0;
  std::vector<std::string> ended;
  for (std::int64_t now = 0; now < 200; ++now) {
    ended.push_back(finished(now * 10, random() % 2 == 0 ? "succeeded" : "failed"));
    if (random() % 2 == 0) {
      remove(ended.back(), now * 10 + 9);
      ended.pop_back();
    }
    live.catch_up();
    const Counts& counts = live.totals().tenants.at("plant-7");
    const std::int64_t sum = counts.ended[0] + counts.ended[1];
    EXPECT_EQ(sum, last + 1);
    last = sum;
  }
}

}  // namespace
}  // namespace stella::telemetry
