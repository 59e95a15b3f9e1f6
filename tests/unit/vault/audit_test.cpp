// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/fault/error.hpp"
#include "vault/audit/trail.hpp"

namespace stella::audit {
namespace {

class Trails : public ::testing::Test {
 protected:
  Trails() : root_(keys::random_key()), trail_(root_, keys::VaultId{1}) {}
  [[nodiscard]] static Entry entry(std::int64_t number) {
    return {.number = number,
            .at = clock::Time(std::chrono::milliseconds(1795459000000)),
            .action = "lease",
            .tenant = "plant-7",
            .user = "ana",
            .detail = {{"name", "plc-token"}}};
  }
  [[nodiscard]] std::string refusal(const Line& line, const canon::Digest& before) const {
    try {
      (void)trail_.open(line, before);
    } catch (const fault::Error& error) {
      return std::string(fault::info(error.code()).name) + " " + error.reason();
    }
    return "none";
  }
  locked::Bytes root_;
  Trail trail_;
};

TEST_F(Trails, GivesBackWhatWasWritten) {
  const auto line = trail_.seal(entry(1), {});
  const auto read = trail_.open(line, {});
  EXPECT_EQ(read.action, "lease");
  EXPECT_EQ(read.detail.at("name"), "plc-token");
  EXPECT_EQ(read.at, entry(1).at);
}

TEST_F(Trails, RefusesAnEntryInAnotherPlace) {
  const auto first = trail_.seal(entry(1), {});
  auto second = trail_.seal(entry(2), first.chain);
  EXPECT_EQ(refusal(second, {}), "ERR_VAULT_TAMPERED audit");
  second.number = 3;
  EXPECT_EQ(refusal(second, first.chain), "ERR_VAULT_TAMPERED audit");
}

TEST_F(Trails, RefusesChangedBytesAndAnotherVaultsKey) {
  auto line = trail_.seal(entry(1), {});
  EXPECT_EQ(refusal(Trail(keys::random_key(), keys::VaultId{1}).seal(entry(1), {}), {}), "ERR_VAULT_TAMPERED audit");
  line.body[60] ^= 1;
  EXPECT_EQ(refusal(line, {}), "ERR_VAULT_TAMPERED audit");
}

TEST(PresentUser, IsNeverEmpty) {
  EXPECT_FALSE(present_user().empty());
}

}  // namespace
}  // namespace stella::audit
