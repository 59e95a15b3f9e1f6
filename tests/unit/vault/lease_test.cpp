// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/temporary_folder.hpp"
#include "vault/lease/lease.hpp"

namespace stella::lease {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery staple";

class Given : public trust::Passphrases {
 public:
  locked::Bytes ask(const std::string&) override {
    ++asked;
    if (nobody) throw fault::Error(fault::Code::key_unusable, "no-passphrase", "there is nobody to ask");
    return locked::Bytes::copy_of(kPassphrase);
  }
  locked::Bytes ask_new(const std::string& prompt) override { return ask(prompt); }
  int asked = 0;
  bool nobody = false;
};

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "none";
}

class Lease : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("TASKRUNNER_SEALED_VAULT_URL");
    home_ = files::Home::open(folder_ / "home");
    secrets::Store::create(vault_path(*home_), locked::Bytes::copy_of(kPassphrase), keys::kMemoryFloor,
                           clock::system_clock());
    auto store = open_store(*home_, given_, clock::system_clock());
    const auto value = locked::Bytes::copy_of("the value of the token");
    store.put({.tenant = "plant-7", .name = "plc-token", .scope = "firmware", .value = &value});
    store.put({.tenant = "plant-7", .name = "other", .scope = "firmware", .value = &value});
    given_.asked = 0;
  }
  void TearDown() override { ::unsetenv("TASKRUNNER_SEALED_VAULT_URL"); }
  [[nodiscard]] static Ticket ticket(const std::string& tenant = "plant-7", const std::string& scope = "firmware") {
    return {
        .tenant = tenant, .run = "run:1", .plan_hash = "sha256:0", .step = "seal", .declared = {{"plc-token", scope}}};
  }
  tests::TemporaryFolder folder_;
  std::optional<files::Home> home_;
  Given given_;
};

TEST_F(Lease, GivesADeclaredSecretWithItsVersion) {
  const auto source = open_vault(*home_, given_);
  const auto leased = source->lease(ticket(), {"plc-token", "firmware"});
  EXPECT_EQ(leased.value.view(), "the value of the token");
  EXPECT_EQ(leased.version, 1);
  EXPECT_EQ(leased.last_four, "oken");
  EXPECT_EQ(source->version_of("plant-7", {"plc-token", "firmware"}), 1);
  EXPECT_EQ(given_.asked, 1);
}

TEST_F(Lease, DeniesWhatWasNotDeclaredAndWritesItDown) {
  const auto source = open_vault(*home_, given_);
  EXPECT_EQ(refusal([&] { (void)source->lease(ticket(), {"other", "firmware"}); }), "ERR_VAULT_DENIED undeclared");
  auto store = open_store(*home_, given_, clock::system_clock());
  EXPECT_EQ(store.verify().back().action, "refused");
}

TEST_F(Lease, KnowsOnlyTheTenantsAndTheScopesSecrets) {
  const auto source = open_vault(*home_, given_);
  EXPECT_EQ(refusal([&] {
              (void)source->lease(ticket("plant-8"), {"plc-token", "firmware"});
            }),
            "ERR_PACK_SECRET_MISSING missing");
  EXPECT_EQ(refusal([&] {
              (void)source->lease(ticket("plant-7", "else"), {"plc-token", "else"});
            }),
            "ERR_PACK_SECRET_MISSING scope");
  EXPECT_EQ(source->version_of("plant-8", {"plc-token", "firmware"}), std::nullopt);
  EXPECT_EQ(source->version_of("plant-7", {"plc-token", "else"}), std::nullopt);
}

TEST_F(Lease, SaysSealedWhenNobodyCanBeAsked) {
  given_.nobody = true;
  EXPECT_EQ(refusal([&] { (void)open_vault(*home_, given_); }), "ERR_VAULT_SEALED no-passphrase");
}

TEST_F(Lease, FollowsTheVaultUrl) {
  ::setenv("TASKRUNNER_SEALED_VAULT_URL", ("vault+file://" + (folder_ / "none.db")).c_str(), 1);
  EXPECT_EQ(refusal([&] { (void)open_vault(*home_, given_); }), "ERR_VAULT_NOT_FOUND vault");
  EXPECT_EQ(given_.asked, 0) << "nothing is asked for a vault that is not there";
  ::setenv("TASKRUNNER_SEALED_VAULT_URL", "vault+unix:///run/vault.sock", 1);
  EXPECT_EQ(refusal([&] { (void)open_vault(*home_, given_); }), "ERR_USAGE not-yet");
  for (const auto* url : {"vault+file://relative", "vault+file://", "http://vault.example", "/a/path"}) {
    ::setenv("TASKRUNNER_SEALED_VAULT_URL", url, 1);
    EXPECT_EQ(refusal([&] { (void)open_vault(*home_, given_); }), "ERR_USAGE vault-url") << url;
  }
}

TEST(SecretsFile, GivesDeclaredValues) {
  const auto source = open_secrets_file(R"({"plc-token": "0123456789"})", "secrets.json");
  const Ticket ticket{
      .tenant = "t", .run = "r", .plan_hash = "h", .step = "s", .declared = {{"plc-token", "a"}, {"absent", "a"}}};
  EXPECT_EQ(source->lease(ticket, {"plc-token", "a"}).value.view(), "0123456789");
  EXPECT_EQ(source->lease(ticket, {"plc-token", "a"}).last_four, std::nullopt);
  EXPECT_EQ(refusal([&] { (void)source->lease(ticket, {"plc-token", "b"}); }), "ERR_VAULT_DENIED undeclared");
  EXPECT_EQ(refusal([&] { (void)source->lease(ticket, {"absent", "a"}); }), "ERR_PACK_SECRET_MISSING missing");
  EXPECT_EQ(source->version_of("t", {"absent", "a"}), std::nullopt);
}

TEST(SecretsFile, RefusesOtherShapesWithoutRepeatingThem) {
  for (const auto* text :
       {"[]", R"({"a": 1})", R"({"a": "short"})", R"({"a": "0123456789", "a": "0123456789"})", "",
        "{\"a\": \"0123456789\n\"}", R"({"0123456789": 1, "0123456789": 2})", R"({"a": "0123456789)"}) {
    try {
      (void)open_secrets_file(text, "secrets.json");
      ADD_FAILURE() << text;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::pack_inputs) << text;
      EXPECT_EQ(std::string(error.what()).find("0123456789"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace stella::lease
