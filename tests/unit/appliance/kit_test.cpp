// SPDX-License-Identifier: Apache-2.0
#include "appliance/kit/manifest.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "appliance/kit/delivery.hpp"

namespace stella::kit {
namespace {

using namespace std::chrono_literals;

class Kit : public ::testing::Test {
 protected:
  Kit() : home_(files::Home::open(folder())), journal_(journal::Journal::open(home_)) {}
  ~Kit() override { std::filesystem::remove_all(home_.path()); }

  static std::string folder() {
    std::string path = std::filesystem::temp_directory_path() / "stella-kit-XXXXXX";
    return ::mkdtemp(path.data());
  }
  journal::RunRow run(const std::string& state, bool sealed) {
    journal::RunRow draft;
    draft.tenant = "t";
    draft.pack = "job";
    draft.version = "1.0.0";
    draft.plan_hash = kHash;
    draft.state = "running";
    const auto row = journal_.create_run(draft, {"pack.run.submitted", "", canon::Json::object()}, kNow);
    std::vector<journal::NewEvent> events = {{"pack.run.started", "", canon::Json::object()},
                                             {"pack.run." + state, "", canon::Json::object()}};
    if (sealed) events.push_back({"pack.evidence.sealed", "", {{"list", kHash}, {"bag", "b"}, {"number", 3}}});
    journal_.append(row.id, events, {.state = state}, kNow + 1s);
    return journal_.need(row.id);
  }

  static constexpr clock::Time kNow{1790000000000ms};
  const std::string kHash = "sha256:" + std::string(64, 'a');
  files::Home home_;
  journal::Journal journal_;
};

TEST_F(Kit, SaysWhatARunWasAndWhereItsEvidenceIs) {
  const auto row = run("failed", true);
  const auto manifest = manifest_of(journal_, row, "apl-test");
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->file, row.folder.substr(row.folder.rfind('/') + 1) + ".1.run.dsse.json");
  const canon::Json& said = manifest->statement.predicate;
  EXPECT_EQ(said.at("runId"), row.id);
  EXPECT_EQ(said.at("state"), "failed");
  EXPECT_EQ(said.at("evidence"), canon::Json({{"bag", "b"}, {"list", kHash}, {"number", 3}}));
  EXPECT_EQ(said.at("times").at("submitted"), clock::format_millis(kNow));
  EXPECT_EQ(said.at("times").at("ended"), clock::format_millis(kNow + 1s));
  ASSERT_EQ(manifest->statement.subjects.size(), 2U);
  EXPECT_EQ(manifest->statement.subjects[1].name, "b/SHA256SUMS");
}

TEST_F(Kit, SaysNothingOfARunThatHasNotEndedOrIsNotSealed) {
  EXPECT_FALSE(manifest_of(journal_, run("waiting", false), "apl-test"));
  EXPECT_FALSE(manifest_of(journal_, run("succeeded", false), "apl-test"));
}

TEST_F(Kit, WithoutAPolicyThereIsNoKit) {
  const auto row = run("succeeded", true);
  deliver(home_, journal_);
  EXPECT_TRUE(standing(home_).folder.empty());
  EXPECT_TRUE(find_delivered(home_, row).empty());
  EXPECT_FALSE(std::filesystem::exists(home_.runs() + "/kit.json"));
}

}  // namespace
}  // namespace stella::kit
