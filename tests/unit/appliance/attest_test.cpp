// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "appliance/attest/provenance.hpp"
#include "appliance/attest/readme.hpp"
#include "bundles/files/write.hpp"

using namespace stella;

namespace {

struct Fixture {
  std::string root;
  files::Home home;
  journal::RunRow row;
  std::vector<journal::Event> events;
  plan::Plan plan;
  site::Applied applied;
  packfile::Opened pack;

  static std::string folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stella-attest.XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  Fixture() : root(folder()), home(files::Home::open(root)) {
    row.id = "run:t:20261123T000000000Z";
    row.state = "succeeded";
    row.tenant = "t";
    events.push_back({});
    events.back().seq = 1;
    events.back().line = "{}";
    plan.bytes = "{}";
    plan.hash = canon::sha256(plan.bytes);
    plan.document = {{"inputs", {{"cell", "7"}}}};
    pack.name = "p";
    pack.version = "1.0.0";
  }
  ~Fixture() { files::remove_tree(root); }
  [[nodiscard]] attest::Facts facts() const { return {home, row, events, plan, applied, pack}; }
};

}  // namespace

TEST(Provenance, BindsPlanPackPolicyArtifactsAndTheJournalsHead) {
  const Fixture fixture;
  const canon::Digest report = canon::sha256(std::string_view("report"));
  const auto statement = attest::provenance(fixture.facts(), {{{"data/artifacts/report.json", report}}, {}});
  EXPECT_EQ(statement.predicate_type, "https://slsa.dev/provenance/v1");
  ASSERT_EQ(statement.subjects.size(), 2U);
  EXPECT_EQ(statement.subjects[0].digest, fixture.plan.hash);
  EXPECT_EQ(statement.subjects[1].digest, report);
  const auto& ours = statement.predicate.at("runDetails").at("stella");
  EXPECT_EQ(ours.at("journal").at("head"), canon::sha256(std::string_view("{}")).hex());
  EXPECT_EQ(statement.predicate.at("buildDefinition").at("externalParameters").at("inputs").at("cell"), "7");
  EXPECT_EQ(statement.predicate.at("buildDefinition").at("buildType"), "urn:stella:pack-run:v1");
}

TEST(LastBag, IsNumberZeroBeforeTheFirst) {
  const Fixture fixture;
  EXPECT_EQ(attest::last_bag(fixture.home).number, 0);
}

TEST(LastBag, ThatSomebodyEditedIsNotBelieved) {
  const Fixture fixture;
  files::make_folders(fixture.home.runs());
  files::write_atomically(fixture.home.runs() + "/evidence.json", "{\"number\":\"7\"}", 0600);
  EXPECT_THROW((void)attest::last_bag(fixture.home), fault::Error);
}

TEST(Readme, NamesTheCommandsThatNeedNothingOfOurs) {
  const std::string text = attest::readme("apl-1", "run:t:1");
  EXPECT_NE(text.find("sha256sum -c --strict SHA256SUMS"), std::string::npos);
  EXPECT_NE(text.find("ssh-keygen -Y verify -f allowed_signers -I apl-1 -n stella-evidence"), std::string::npos);
}
