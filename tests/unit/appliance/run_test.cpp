// SPDX-License-Identifier: Apache-2.0
// The state machine with a sandbox that does what the test says.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "appliance/run/attempt.hpp"
#include "appliance/run/expiry.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/resume.hpp"
#include "appliance/run/runner.hpp"
#include "appliance/run/stop.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::run {
namespace {

using fault::Code;
using fault::Error;

class Quiet : public Listener {
 public:
  void event(const journal::Event&) override {}
  void line(const std::string& step, std::string_view text) override {
    lines.push_back(step + " | " + std::string(text));
  }
  void note(const std::string&) override {}
  std::vector<std::string> lines;
};

class StoppedClock : public clock::Clock {
 public:
  [[nodiscard]] clock::Time now() const override { return time; }
  clock::Time time{std::chrono::seconds(1795453200)};
};

class OneSecret : public lease::Source {
 public:
  explicit OneSecret(std::string text) : text_(std::move(text)) {}
  lease::Leased lease(const lease::Ticket&, const lease::Wanted& wanted) override {
    if (wanted.name != "token") throw Error(Code::pack_secret_missing, "missing", "no secret " + wanted.name);
    return {.name = wanted.name,
            .scope = wanted.scope,
            .version = 2,
            .value = locked::Bytes::copy_of(std::string_view(text_)),
            .last_four = std::nullopt};
  }
  std::optional<std::int64_t> version_of(const std::string&, const lease::Wanted&) override { return 2; }

 private:
  std::string text_;
};

using Script = std::function<sandbox::Result(const sandbox::Spec&, sandbox::Observer&)>;

class RunTest : public testing::Test {
 protected:
  RunTest() {
    forget_signals();
    char pattern[] = "/tmp/stella-run-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    home_.emplace(files::Home::open(folder_ + "/home"));
    journal_.emplace(journal::Journal::open(*home_));
    plan_.pack_name = "sbom";
    plan_.pack_version = "1.0.0";
    plan_.tenant = "plant-7";
    plan_.inputs = {{"cell", "c1"}};
    plan_.document = canon::Json::object();
    plan_.bytes = "{}";
  }
  ~RunTest() override { std::filesystem::remove_all(folder_); }

  // Each step needs all before it.
  plan::Step& add(const std::string& id, plan::Kind kind = plan::Kind::run) {
    plan::Step step;
    step.id = id;
    step.kind = kind;
    for (const auto& before : plan_.steps) step.needs.push_back(before.id);
    step.command = {{.text = "work", .open = false}};
    step.timeout = std::chrono::seconds(5);
    step.retries.max_attempts = 1;
    step.retries.backoff_seconds = 0;
    step.digest = canon::sha256(id);
    plan_.steps.push_back(step);
    return plan_.steps.back();
  }
  plan::Step& add_gate(const std::string& id) {
    plan::Step& step = add(id, plan::Kind::gate_approval);
    step.gate = {.id = id, .threshold = 1, .roles = {}, .expires_after = std::chrono::minutes(30), .message = "ok?"};
    return step;
  }

  void submit() {
    journal::RunRow draft;
    draft.tenant = "plant-7";
    draft.state = "planned";
    draft.plan_hash = plan_.hash_text();
    draft.requested_by = "Ana Ortiz";
    run_ = journal_
               ->create_run(draft, {"pack.run.submitted", {}, {{"by", "Ana Ortiz"}, {"planHash", plan_.hash_text()}}},
                            clock_.time)
               .id;
    const std::string folder = journal_->need(run_).folder;
    for (const char* name : {"work", "artifacts", "logs", "outputs", "inputs", "approvals"})
      files::make_folders(folder + "/" + name);
    files::write_atomically(plan_of(folder), plan_.bytes, 0600);
    const std::vector<journal::NewEvent> planned = {{"pack.run.planned", {}, {{"planHash", plan_.hash_text()}}}};
    journal_->append(run_, planned, {}, clock_.time);
  }
  Record record() {
    Record record;
    record.row = journal_->need(run_);
    record.events = journal_->events(run_);
    record.progress = progress_of(record.events);
    record.plan = std::make_unique<plan::Plan>(plan_);
    record.current = std::make_unique<site::Applied>();
    return record;
  }
  Tools tools() {
    return {
        .home = &*home_,
        .journal = &*journal_,
        .clock = &clock_,
        .listener = &console_,
        .sandbox =
            [this](const sandbox::Spec& spec, sandbox::Observer& observer) {
              ran_.push_back(spec.step_id);
              const auto found = scripts_.find(spec.step_id);
              return found == scripts_.end() ? sandbox::Result{} : found->second(spec, observer);
            },
        .open_secrets = [this]() -> std::unique_ptr<lease::Source> { return std::make_unique<OneSecret>(secret_); }};
  }
  Outcome start() {
    if (run_.empty()) submit();
    Record fresh = record();
    Live live(tools(), fresh, {});
    return go_on(live);
  }
  Outcome resume(const ResumeWish& wish = {}) {
    Record fresh = record();
    Choices choices;
    choices.who = "Ana Ortiz";
    Live live(tools(), fresh, choices);
    prepare_to_resume(live, wish);
    return go_on(live);
  }
  static Script exits(int status) {
    return [status](const sandbox::Spec&, sandbox::Observer&) {
      return sandbox::Result{.end = sandbox::End::exited, .status = status, .blocked = {}, .relayed = {}, .limits = {}};
    };
  }
  std::vector<std::string> types() {
    std::vector<std::string> found;
    for (const auto& event : journal_->events(run_))
      found.push_back(event.step.empty() ? event.type : event.type + " " + event.step);
    return found;
  }
  canon::Json last(const std::string& type) {
    canon::Json data;
    for (const auto& event : journal_->events(run_)) {
      if (event.type == type) data = event.data;
    }
    return data;
  }

  std::string folder_, run_, secret_ = "correct horse battery";
  std::optional<files::Home> home_;
  std::optional<journal::Journal> journal_;
  plan::Plan plan_;
  Quiet console_;
  StoppedClock clock_;
  std::map<std::string, Script> scripts_;
  std::vector<std::string> ran_;
};

TEST_F(RunTest, RunsStepsInOrderAndSaysSo) {
  add("a");
  add("b");
  const Outcome outcome = start();
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.row.state, "succeeded");
  EXPECT_EQ(types(), (std::vector<std::string>{"pack.run.submitted", "pack.run.planned", "pack.run.started",
                                               "pack.step.started a", "pack.step.finished a", "pack.step.started b",
                                               "pack.step.finished b", "pack.run.succeeded"}));
  EXPECT_NO_THROW(journal_->verify_chain(run_));
}

TEST_F(RunTest, FollowsNeedsInsteadOfOrderAndTakesGatesLast) {
  add_gate("review").needs = {};
  add("free").needs = {};
  add("behind").needs = {"review"};
  const Outcome outcome = start();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::pack_approval_required);
  EXPECT_EQ(outcome.error->exit_status(), 7);
  EXPECT_NE(outcome.error->fix().find("stella pack approve --run " + run_ + " --gate review --offline-request"),
            std::string::npos);
  EXPECT_EQ(outcome.row.state, "waiting");
  EXPECT_EQ(ran_, std::vector<std::string>{"free"});
}

TEST_F(RunTest, EndsAtTheFirstFailureAndReusesTheRestOnResume) {
  add("a");
  add("b");
  add("c");
  scripts_["b"] = exits(3);
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->code(), Code::pack_step_failed);
  EXPECT_EQ(outcome.error->reason(), "exit");
  EXPECT_EQ(last("pack.step.finished").at("exit"), 3);
  scripts_.clear();
  ran_.clear();
  const Outcome again = resume();
  EXPECT_FALSE(again.error);
  EXPECT_EQ(again.row.attempt, 2);
  EXPECT_EQ(ran_, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(last("pack.run.resumed").at("reused"), canon::Json({"a"}));
}

TEST_F(RunTest, RunsAgainWhatChangedInThePlan) {
  add("a");
  add("b");
  scripts_["b"] = exits(1);
  (void)start();
  scripts_.clear();
  ran_.clear();
  plan_.steps[0].digest = canon::sha256(std::string_view("another node"));
  (void)resume();
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTest, RetriesAsOftenAsThePackSays) {
  auto& step = add("a");
  step.retries.max_attempts = 3;
  int calls = 0;
  scripts_["a"] = [&](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{
        .end = sandbox::End::exited, .status = ++calls < 3 ? 1 : 0, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_FALSE(start().error);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(std::filesystem::exists(journal_->need(run_).folder + "/logs/a.3.log"));
}

TEST_F(RunTest, RetriesOnlyOnWhatThePackNames) {
  auto& step = add("a");
  step.retries.max_attempts = 3;
  step.retries.on = {"exit:75"};
  scripts_["a"] = exits(1);
  EXPECT_TRUE(start().error);
  EXPECT_EQ(ran_.size(), 1U);
}

TEST_F(RunTest, WaitsLongerBeforeEachRetry) {
  plan::Retries retries;
  retries.backoff_seconds = 2;
  retries.factor = 3;
  retries.max_backoff_seconds = 10;
  retries.jitter = 0;
  EXPECT_EQ(delay_before(retries, 2), std::chrono::seconds(2));
  EXPECT_EQ(delay_before(retries, 3), std::chrono::seconds(6));
  EXPECT_EQ(delay_before(retries, 4), std::chrono::seconds(10));
}

TEST_F(RunTest, NamesATimeout) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.end = sandbox::End::timed_out, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().error->code(), Code::pack_step_timeout);
}

TEST_F(RunTest, GoesOnAfterAnErrorWhereThePackSaysSo) {
  add("a").continue_on_error = true;
  add("b");
  scripts_["a"] = exits(1);
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_.size(), 2U);
}

TEST_F(RunTest, FailsABlockedStepEvenWhenItExitedWithZeroAndMayContinue) {
  add("a").continue_on_error = true;
  add("b");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.blocked = {{.program = "curl",
                                        .protocol = "tcp",
                                        .host = "evil.example",
                                        .address = "198.18.0.1",
                                        .port = 443,
                                        .count = 2,
                                        .first = {}}},
                           .relayed = {},
                           .limits = {}};
  };
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->code(), Code::pack_network_blocked);
  EXPECT_EQ(outcome.error->exit_status(), 5);
  EXPECT_NE(std::string(outcome.error->what()).find("evil.example"), std::string::npos);
  EXPECT_NE(outcome.error->fix().find("evil.example"), std::string::npos);
  EXPECT_EQ(last("pack.network.blocked").at("count"), 2);
  EXPECT_EQ(ran_.size(), 1U);
}

TEST_F(RunTest, CountsAttemptsThatCouldNotBeNamedAsBlocked) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) {
    return sandbox::Result{.blocked = {}, .relayed = {}, .witness_lost = 5, .limits = {}};
  };
  EXPECT_EQ(start().error->code(), Code::pack_network_blocked);
}

TEST_F(RunTest, SkipsAStepWhoseConditionDoesNotHold) {
  add("a").when = "inputs.cell == 'other'";
  add("b").when = "inputs.cell == 'c1'";
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, std::vector<std::string>{"b"});
}

TEST_F(RunTest, HandsOutputsToLaterSteps) {
  add("a");
  add("b").when = "steps.a.outputs.ready == 'yes'";
  add("c").when = "steps.a.outputs.ready == 'no'";
  scripts_["a"] = [](const sandbox::Spec& spec, sandbox::Observer&) {
    files::write_atomically(spec.output_file, "ready=yes\n", 0600);
    return sandbox::Result{};
  };
  EXPECT_FALSE(start().error);
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RunTest, ClosesAPolicyGateWhoseExpressionDoesNotHold) {
  auto& gate = add("window", plan::Kind::gate_policy);
  gate.expression = "inputs.cell == 'other'";
  gate.message = "not that cell";
  add("b");
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->reason(), "policy");
  EXPECT_NE(std::string(outcome.error->what()).find("not that cell"), std::string::npos);
  EXPECT_TRUE(ran_.empty());
}

TEST_F(RunTest, RedactsASecretThatIsSplitOverTwoWrites) {
  add("a").secrets = {{.name = "token", .scope = "s", .env = "TOKEN"}};
  scripts_["a"] = [](const sandbox::Spec& spec, sandbox::Observer& observer) {
    EXPECT_EQ(spec.secrets.at(0).env, "TOKEN");
    observer.output(sandbox::Stream::out, "it is correct hor");
    observer.output(sandbox::Stream::out, "se battery\x1b[31m!\n");
    return sandbox::Result{};
  };
  EXPECT_FALSE(start().error);
  EXPECT_EQ(console_.lines, std::vector<std::string>{"a | it is [redacted:token]\\x1b[31m!"});
  const std::string log = files::read_input(journal_->need(run_).folder + "/logs/a.1.log", {.max_bytes = 1000});
  EXPECT_EQ(log, "it is [redacted:token]\x1b[31m!\n");
  EXPECT_EQ(last("pack.step.finished").at("logSha256"), canon::sha256(log).tagged());
  EXPECT_EQ(last("pack.secret.leased"), (canon::Json{{"name", "token"}, {"scope", "s"}, {"version", 2}}));
  EXPECT_EQ(last("pack.secret.released").at("name"), "token");
}

TEST_F(RunTest, FailsAStepThatPutsASecretIntoItsOutputs) {
  add("a").secrets = {{.name = "token", .scope = "s", .env = ""}};
  scripts_["a"] = [](const sandbox::Spec& spec, sandbox::Observer&) {
    files::write_atomically(spec.output_file, "x=correct horse battery\n", 0600);
    return sandbox::Result{};
  };
  EXPECT_EQ(start().error->reason(), "secret-in-output");
  EXPECT_EQ(last("pack.step.finished").dump().find("horse"), std::string::npos);
}

TEST_F(RunTest, PausesForAMissingSecretAndGoesOnInTheSameAttempt) {
  add("a").secrets = {{.name = "other", .scope = "s", .env = ""}};
  const Outcome outcome = start();
  EXPECT_EQ(outcome.error->code(), Code::pack_secret_missing);
  EXPECT_EQ(outcome.row.state, "paused");
  EXPECT_TRUE(ran_.empty());
  plan_.steps[0].secrets[0].name = "token";
  const Outcome again = resume();
  EXPECT_EQ(again.row.state, "succeeded");
  EXPECT_EQ(again.row.attempt, 1);
}

TEST_F(RunTest, PausesWhenTheSandboxCannotBeBuilt) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer&) -> sandbox::Result {
    throw Error(Code::sandbox_unavailable, "userns", "switched off");
  };
  EXPECT_EQ(start().row.state, "paused");
  scripts_.clear();
  EXPECT_EQ(resume().row.state, "succeeded");  // nothing had run, so nothing is unknown
}

TEST_F(RunTest, EndsTheStepOnASignalAndAsksWhatToDoWithIt) {
  add("a");
  scripts_["a"] = [](const sandbox::Spec&, sandbox::Observer& observer) {
    EXPECT_FALSE(observer.stop_requested());
    catch_signals();
    std::raise(SIGTERM);
    EXPECT_TRUE(observer.stop_requested());
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "paused");
  EXPECT_EQ(outcome.row.reason, "interrupted");
  EXPECT_EQ(outcome.error->code(), Code::pack_interrupted);
  forget_signals();
  scripts_.clear();
  EXPECT_THROW((void)resume(), Error);  // onCrash: ask
  EXPECT_EQ(resume({.rerun = "a", .fail = {}, .extend = {}}).row.state, "succeeded");
}

TEST_F(RunTest, ListensToACancelRequest) {
  add("a");
  add("b");
  scripts_["a"] = [this](const sandbox::Spec&, sandbox::Observer& observer) {
    request_cancel(journal_->need(run_).folder, {.by = "Bea", .reason = "wrong cell"});
    EXPECT_TRUE(observer.stop_requested());
    return sandbox::Result{.end = sandbox::End::stopped, .blocked = {}, .relayed = {}, .limits = {}};
  };
  EXPECT_EQ(start().row.state, "cancelled");
  EXPECT_EQ(last("pack.run.cancelled"), (canon::Json{{"by", "Bea"}, {"reason", "wrong cell"}}));
}

// The events of a runner that was killed while step a ran.
class Killed : public RunTest {
 protected:
  void kill_in_a(plan::OnCrash on_crash) {
    add("a").on_crash = on_crash;
    add("b");
    submit();
    const std::vector<journal::NewEvent> events = {
        {"pack.run.started", {}, {}},
        {"pack.step.started", "a", {{"try", 1}, {"digest", plan_.steps[0].digest.tagged()}}}};
    journal_->append(run_, events, {.state = "running"}, clock_.time);
  }
};

TEST_F(Killed, RerunsAStepThatMayBeRerun) {
  kill_in_a(plan::OnCrash::rerun);
  EXPECT_EQ(resume().row.state, "succeeded");
  EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Killed, FailsAStepThatMustNotBeRerun) {
  kill_in_a(plan::OnCrash::fail);
  const Outcome outcome = resume();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->reason(), "crash");
  EXPECT_TRUE(ran_.empty());
}

TEST_F(Killed, AsksAndTakesTheAnswer) {
  kill_in_a(plan::OnCrash::ask);
  try {
    (void)resume();
    FAIL() << "nobody was asked";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::pack_interrupted);
    EXPECT_NE(error.fix().find("--rerun a"), std::string::npos);
    EXPECT_NE(error.fix().find("--fail a"), std::string::npos);
  }
  EXPECT_EQ(journal_->need(run_).state, "paused");
  EXPECT_THROW((void)resume({.rerun = "b", .fail = {}, .extend = {}}), Error);  // b was not in flight
  EXPECT_EQ(resume({.rerun = {}, .fail = "a", .extend = {}}).row.state, "failed");
}

TEST_F(RunTest, ChecksDeclaredOutputsAtTheEnd) {
  add("a");
  plan_.outputs = {{.name = "report", .path = "report.json"}};
  const Outcome outcome = start();
  EXPECT_EQ(outcome.row.state, "failed");
  EXPECT_EQ(outcome.error->reason(), "output");
  scripts_.clear();
  files::write_atomically(journal_->need(run_).folder + "/artifacts/report.json", "{}", 0600);
  EXPECT_EQ(resume().row.state, "succeeded");
  EXPECT_EQ(last("pack.run.succeeded").at("outputs").at(0).at("name"), "report");
}

TEST_F(RunTest, ExpiresAGateThatNobodyAnswered) {
  add_gate("review");
  EXPECT_EQ(start().row.state, "waiting");
  apply_due(*home_, *journal_, clock_.time + std::chrono::minutes(29));
  EXPECT_EQ(journal_->need(run_).state, "waiting");
  apply_due(*home_, *journal_, clock_.time + std::chrono::minutes(30));
  EXPECT_EQ(journal_->need(run_).state, "expired");
  EXPECT_EQ(journal_->need(run_).code, "ERR_PACK_APPROVAL_TIMEOUT");
}

TEST_F(RunTest, AsksAnewInANewAttempt) {
  add_gate("review");
  (void)start();
  clock_.time += std::chrono::hours(1);
  apply_due(*home_, *journal_, clock_.time);
  const Outcome outcome = resume();
  EXPECT_EQ(outcome.row.state, "waiting");
  EXPECT_EQ(outcome.row.attempt, 2);
  EXPECT_EQ(last("pack.gate.waiting").at("expiresAt"), clock::format_millis(clock_.time + std::chrono::minutes(30)));
}

}  // namespace
}  // namespace stella::run
