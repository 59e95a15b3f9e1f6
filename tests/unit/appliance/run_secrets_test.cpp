// SPDX-License-Identifier: Apache-2.0
// Secrets of a step: leased, redacted, missing.
#include "appliance/logs/reader.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/appliance/run_fixture.hpp"

namespace stella::run {
namespace {

using fault::Code;

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
  const std::string log = logs::text_of(journal_->need(run_).folder + "/logs", "a", 1);
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

}  // namespace
}  // namespace stella::run
