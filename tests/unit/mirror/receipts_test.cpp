// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "mirror/receipts/receipt.hpp"

namespace stella::receipts {
namespace {

class Receipts : public testing::Test {
 protected:
  Receipts()
      : path_(testing::TempDir() + "receipts-" + canon::random_hex(6)),
        home_(files::Home::open(path_)),
        identity_{"apl-1", trust::PrivateKey::generate()} {
    for (const char* outcome : {"accepted", "refused", "unchanged"}) {
      append(home_, identity_, clock::Time{}, {outcome, {"bundle", canon::sha256(outcome)}, {{"note", outcome}}});
    }
  }
  ~Receipts() override { files::remove_tree(path_); }

  std::vector<Receipt> load() const { return load_verified(home_, {identity_.key.public_key()}); }
  std::string file(int number) const {
    return path_ + "/mirror/receipts/00000" + std::to_string(number) + ".dsse.json";
  }
  std::string refusal() const {
    try {
      (void)load();
    } catch (const fault::Error& error) {
      return error.at();
    }
    return "taken";
  }

  std::string path_;
  files::Home home_;
  site::Identity identity_;
};

TEST_F(Receipts, ComeBackInOrderWithTheirDetails) {
  const std::vector<Receipt> receipts = load();
  ASSERT_EQ(receipts.size(), 3U);
  EXPECT_EQ(receipts[1].outcome, "refused");
  EXPECT_EQ(receipts[1].appliance, "apl-1");
  EXPECT_EQ(receipts[2].number, 3);
  EXPECT_EQ(receipts[2].details["note"], "unchanged");
}

TEST_F(Receipts, NameTheOneThatIsMissing) {
  files::remove_tree(file(2));
  EXPECT_EQ(refusal(), "000002.dsse.json");
}

TEST_F(Receipts, NameTheOneThatWasReplacedByAnother) {
  std::filesystem::copy_file(file(1), file(2), std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(refusal(), "000002.dsse.json");
}

TEST_F(Receipts, NameTheOneThatFollowsAForgedOne) {
  // The appliance's own key signs another second receipt: the third no longer follows it.
  files::remove_tree(file(2));
  std::filesystem::rename(file(3), path_ + "/kept");
  append(home_, identity_, clock::Time{}, {"accepted", {"bundle", canon::sha256("x")}, {{"note", "forged"}}});
  std::filesystem::rename(path_ + "/kept", file(3));
  EXPECT_EQ(refusal(), "000003.dsse.json");
}

TEST_F(Receipts, OfAnotherApplianceCountForNothing) {
  identity_.key = trust::PrivateKey::generate();
  EXPECT_EQ(refusal(), "000001.dsse.json");
}

}  // namespace
}  // namespace stella::receipts
