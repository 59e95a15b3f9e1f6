// SPDX-License-Identifier: Apache-2.0
#include "appliance/retention/prune.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "appliance/retention/statement.hpp"
#include "bundles/files/read.hpp"
#include "bundles/site/identity.hpp"

namespace stella::retention {
namespace {

using namespace std::chrono_literals;

class Retention : public ::testing::Test {
 protected:
  Retention() : home_(files::Home::open(folder())), journal_(journal::Journal::open(home_)) {
    (void)site::make_identity(home_, "apl-test", kNow);
  }
  ~Retention() override { std::filesystem::remove_all(home_.path()); }

  static std::string folder() {
    std::string path = std::filesystem::temp_directory_path() / "stella-retention-XXXXXX";
    return ::mkdtemp(path.data());
  }
  journal::RunRow ended(const std::string& state, clock::Time at, bool sealed, bool exported) {
    journal::RunRow draft;
    draft.tenant = "t";
    draft.pack = "job";
    draft.version = "1.0.0";
    draft.state = "running";
    const auto row = journal_.create_run(draft, {"pack.run.submitted", "", canon::Json::object()}, at);
    std::vector<journal::NewEvent> events = {{"pack.run." + state, "", canon::Json::object()}};
    if (sealed) events.push_back({"pack.evidence.sealed", "", {{"list", "sha256:ab"}, {"bag", "b"}}});
    if (exported) events.push_back({"pack.evidence.exported", "", {{"list", "sha256:ab"}}});
    journal_.append(row.id, events, {.state = state}, at);
    std::ofstream(row.folder + "/file") << "0123456789";
    return journal_.need(row.id);
  }
  std::vector<Candidate> due(bool unexported = false) {
    return find_due(home_, journal_,
                    {.ended_before = kNow - 24h, .artifacts_ended_before = kNow - 24h, .unexported = unexported});
  }

  static constexpr clock::Time kNow{1790000000000ms};
  files::Home home_;
  journal::Journal journal_;
};

TEST_F(Retention, TakesRunsThatEndedBeforeTheRuleAndWereExported) {
  const auto old = ended("succeeded", kNow - 48h, true, true);
  (void)ended("failed", kNow - 1h, true, true);
  const auto found = due();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].row.id, old.id);
  EXPECT_EQ(found[0].verdict, Verdict::due);
  EXPECT_EQ(found[0].size_bytes, 10U);
}

TEST_F(Retention, LeavesRunsThatHaveNotEndedHoweverOld) {
  journal::RunRow draft;
  draft.tenant = "t";
  draft.state = "waiting";
  (void)journal_.create_run(draft, {"pack.run.submitted", "", {}}, kNow - 480h);
  EXPECT_TRUE(due(true).empty());
}

TEST_F(Retention, KeepsWhatWasNeverExportedUnlessItIsAskedFor) {
  (void)ended("failed", kNow - 48h, true, false);
  (void)ended("cancelled", kNow - 49h, false, false);
  for (const Candidate& one : due()) EXPECT_EQ(one.verdict, Verdict::unexported);
  for (const Candidate& one : due(true)) EXPECT_EQ(one.verdict, Verdict::due);
}

TEST_F(Retention, KeepsTheBagOfAnEarlierAttemptThatWasNeverExported) {
  const auto row = ended("failed", kNow - 49h, true, false);
  const std::vector<journal::NewEvent> again = {{"pack.run.resumed", "", {{"attempt", 2}}},
                                                {"pack.run.succeeded", "", canon::Json::object()},
                                                {"pack.evidence.sealed", "", {{"list", "sha256:cd"}, {"bag", "c"}}},
                                                {"pack.evidence.exported", "", {{"list", "sha256:cd"}}}};
  journal_.append(row.id, again, {.state = "succeeded", .attempt = 2}, kNow - 48h);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].verdict, Verdict::unexported);
  const journal::NewEvent first{"pack.evidence.exported", "", {{"list", "sha256:ab"}}};
  journal_.append(row.id, std::span(&first, 1), {}, kNow);
  EXPECT_EQ(due()[0].verdict, Verdict::due);
}

TEST_F(Retention, AnExportDoesNotMakeARunYounger) {
  const auto row = ended("succeeded", kNow - 48h, true, false);
  const journal::NewEvent event{"pack.evidence.exported", "", {{"list", "sha256:ab"}}};
  journal_.append(row.id, std::span(&event, 1), {}, kNow);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].ended, kNow - 48h);
}

TEST_F(Retention, RespectsAHoldThatCameAfterTheLook) {
  const auto row = ended("succeeded", kNow - 48h, true, true);
  const auto found = due();
  journal_.hold(row.id, "audit", "ana", kNow);
  const Rule rule{.ended_before = kNow - 24h, .artifacts_ended_before = kNow - 24h};
  EXPECT_EQ(remove(home_, journal_, found[0], rule, {.by = "ana", .why = "retention"}, kNow), Verdict::held);
  EXPECT_TRUE(std::filesystem::exists(row.folder));
  journal_.release(row.id);
  EXPECT_EQ(remove(home_, journal_, found[0], rule, {.by = "ana", .why = "retention"}, kNow), Verdict::due);
  EXPECT_FALSE(std::filesystem::exists(row.folder));
  ASSERT_EQ(journal_.pruned().size(), 1U);
  EXPECT_EQ(journal_.pruned()[0].run, row.id);
}

TEST_F(Retention, RemovesArtifactsBeforeTheRestAndSignsBoth) {
  const auto row = ended("failed", kNow - 48h, true, true);
  for (const char* part : {"/artifacts", "/work", "/evidence/bag", "/logs"}) {
    std::filesystem::create_directories(row.folder + part);
    std::ofstream(row.folder + part + "/file") << "0123456789";
  }
  const Rule rule{.ended_before = kNow - 72h, .artifacts_ended_before = kNow - 24h};
  auto found = find_due(home_, journal_, rule);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].stage, Stage::artifacts);
  EXPECT_EQ(found[0].size_bytes, 30U);
  EXPECT_EQ(remove(home_, journal_, found[0], rule, {.by = "ana", .why = "retention"}, kNow), Verdict::due);
  EXPECT_TRUE(std::filesystem::is_empty(row.folder + "/artifacts"));
  EXPECT_TRUE(std::filesystem::is_empty(row.folder + "/work"));
  EXPECT_FALSE(std::filesystem::exists(row.folder + "/evidence"));
  EXPECT_TRUE(std::filesystem::exists(row.folder + "/logs/file"));
  ASSERT_TRUE(find_artifacts_removed(journal_, row));
  EXPECT_TRUE(has_statement(home_, row));
  EXPECT_TRUE(find_due(home_, journal_, rule).empty());
  const Rule later{.ended_before = kNow - 24h, .artifacts_ended_before = kNow - 24h};
  found = find_due(home_, journal_, later);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].stage, Stage::run);
  EXPECT_EQ(remove(home_, journal_, found[0], later, {.by = "ana", .why = "retention"}, kNow), Verdict::due);
  const auto removed = removals(home_, journal_, {site::load_identity(home_).key.public_key()});
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].statement, Signed::good);
}

TEST_F(Retention, NoticesAStatementThatIsMissingOrOfSomethingElse) {
  const Rule rule{.ended_before = kNow - 24h, .artifacts_ended_before = kNow - 24h};
  const std::vector<trust::PublicKey> keys = {site::load_identity(home_).key.public_key()};
  for (int i = 0; i < 2; ++i) (void)ended("succeeded", kNow - 48h, true, true);
  for (const Candidate& one : find_due(home_, journal_, rule))
    EXPECT_EQ(remove(home_, journal_, one, rule, {.by = "ana", .why = "retention"}, kNow), Verdict::due);
  auto all = removals(home_, journal_, keys);
  ASSERT_EQ(all.size(), 2U);
  std::filesystem::copy_file(all[0].file, all[1].file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(removals(home_, journal_, keys)[1].statement, Signed::bad);
  std::filesystem::remove(all[1].file);
  EXPECT_EQ(removals(home_, journal_, keys)[1].statement, Signed::missing);
  EXPECT_EQ(sign_unsigned(home_, journal_), 1U);
  EXPECT_EQ(removals(home_, journal_, keys)[1].statement, Signed::good);
  EXPECT_EQ(removals(home_, journal_, {trust::PrivateKey::generate().public_key()})[0].statement, Signed::bad);
}

TEST_F(Retention, ReadsThePolicysTwoTimes) {
  site::Policy policy;
  policy.retention = 72h;
  EXPECT_EQ(rule_of(policy, {}, kNow).artifacts_ended_before, kNow - 72h);
  policy.artifact_retention = 24h;
  EXPECT_EQ(rule_of(policy, {}, kNow).ended_before, kNow - 72h);
  EXPECT_EQ(rule_of(policy, {}, kNow).artifacts_ended_before, kNow - 24h);
  EXPECT_EQ(rule_of(policy, 1h, kNow).artifacts_ended_before, kNow - 1h);
}

}  // namespace
}  // namespace stella::retention
