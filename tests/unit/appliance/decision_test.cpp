// SPDX-License-Identifier: Apache-2.0
// What a decision leaves behind in a home. How requests are made and responses judged is in tests/integration.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "appliance/decision/book.hpp"
#include "appliance/decision/turn.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

using testing::ApprovalCase;
using testing::refusal;
using testing::time_of;

class Decision : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/decision-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  void TearDown() override { files::remove_tree(path); }
  std::string path;
};

TEST_F(Decision, IsWrittenIntoTheTenantsLedgerWithItsAnchors) {
  const files::Home home = files::Home::open(path);
  (void)site::make_identity(home, "apl-hall3", time_of("2026-11-23T16:00:00Z"));
  const journal::Journal journal = journal::Journal::open(home);
  const site::Policy policy = ApprovalCase().policy();
  const canon::Digest dsse = canon::sha256(std::string_view("request"));
  decision::Book(home, journal, "plant-7", policy)
      .write({.kind = "request", .gate = "review", .dsse = dsse}, time_of("2026-11-23T17:00:00Z"));
  decision::Book again(home, journal, "plant-7", policy);
  EXPECT_TRUE(again.has("request", dsse));
  EXPECT_FALSE(again.has("response", dsse));
  EXPECT_EQ(decision::ledger_folder(home, "plant-7"), home.runs() + "/ledger/plant-7");
  const canon::Json& anchors = again.ledger().view().lines.at(0).anchors;
  for (const char* room : {"journal", "site", "vault", "mirror", "evidence"})
    EXPECT_TRUE(anchors.at(room).is_null()) << room << " holds nothing yet";
}

TEST_F(Decision, NeedsAnIdentity) {
  const files::Home home = files::Home::open(path);
  const journal::Journal journal = journal::Journal::open(home);
  const site::Policy policy = ApprovalCase().policy();
  EXPECT_EQ(refusal([&] { decision::Book(home, journal, "plant-7", policy); }), "ERR_KEY_UNUSABLE identity");
}

TEST_F(Decision, IsRecognisedInTheEvents) {
  const canon::Digest dsse = canon::sha256(std::string_view("response"));
  journal::Event event;
  event.type = "pack.approval.recorded";
  event.data = {{"dsse", dsse.tagged()}};
  EXPECT_TRUE(decision::has_event({event}, "pack.approval.recorded", dsse));
  EXPECT_FALSE(decision::has_event({event}, "pack.approval.requested", dsse));
  EXPECT_FALSE(decision::has_event({event}, "pack.approval.recorded", canon::Digest{}));
}

TEST_F(Decision, TakesTurnsPerRun) {
  {
    const decision::Turn one(path + "/a");
    const decision::Turn other(path + "/b");
  }
  const decision::Turn again(path + "/a");
}

}  // namespace
}  // namespace stella
