// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/temporary_folder.hpp"
#include "vault/secrets/store.hpp"

namespace stella::secrets {
namespace {

using fault::Code;

class FakeClock : public clock::Clock {
 public:
  [[nodiscard]] clock::Time now() const override { return clock::Time(std::chrono::milliseconds(1795459000000)); }
};
const FakeClock kClock;
constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr std::string_view kValue = "s3cr3t-value-0123456789";

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  ::chmod(path.c_str(), 0600);
}

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "none";
}

class Vault : public ::testing::Test {
 protected:
  void SetUp() override { Store::create(path_, locked::Bytes::copy_of(kPassphrase), keys::kMemoryFloor, kClock); }
  [[nodiscard]] Store open(std::string_view passphrase = kPassphrase) const {
    return Store::open(
        path_, [&] { return locked::Bytes::copy_of(passphrase); }, kClock);
  }
  static Metadata put(Store& store, const std::string& name, std::string_view value = kValue,
                      const std::string& tenant = "plant-7") {
    const auto bytes = locked::Bytes::copy_of(value);
    return store.put({.tenant = tenant, .name = name, .scope = "firmware", .value = &bytes});
  }
  static std::string value_of(Store& store, const std::string& name, const std::string& tenant = "plant-7") {
    auto opened = store.lease({tenant, "lease"}, name);
    return opened ? std::string(opened->value.view()) : "none";
  }
  tests::TemporaryFolder folder_;
  std::string path_ = folder_ / "vault.db";
};

TEST_F(Vault, GivesBackWhatWasPutAfterItWasClosed) {
  {
    auto store = open();
    put(store, "plc-token");
  }
  auto store = open();
  EXPECT_EQ(value_of(store, "plc-token"), kValue);
  EXPECT_EQ(store.list("plant-7").size(), 1U);
}

TEST_F(Vault, NumbersVersionsAndNeverUsesANumberAgain) {
  auto store = open();
  EXPECT_EQ(put(store, "a").version, 1);
  EXPECT_EQ(put(store, "a", "another value").version, 2);
  EXPECT_EQ(value_of(store, "a"), "another value");
  EXPECT_EQ(store.remove("plant-7", "a"), 2U);
  EXPECT_EQ(value_of(store, "a"), "none");
  EXPECT_EQ(put(store, "a").version, 3) << "a reviewed version must not come back as another value";
}

TEST_F(Vault, RotatesOnlyWhatIsThere) {
  auto store = open();
  const auto value = locked::Bytes::copy_of(kValue);
  EXPECT_EQ(refusal([&] { store.rotate({.tenant = "plant-7", .name = "a", .scope = {}, .value = &value}); }),
            "ERR_VAULT_NOT_FOUND secret");
  put(store, "a");
  EXPECT_EQ(store.rotate({.tenant = "plant-7", .name = "a", .scope = {}, .value = &value}).version, 2);
}

TEST_F(Vault, KeepsTenantsApart) {
  auto store = open();
  put(store, "a", "value of plant seven", "plant-7");
  put(store, "a", "value of plant eight", "plant-8");
  EXPECT_EQ(value_of(store, "a", "plant-8"), "value of plant eight");
  EXPECT_EQ(store.list("plant-9").size(), 0U);
  EXPECT_EQ(value_of(store, "a", "plant-9"), "none");
}

TEST_F(Vault, RefusesShortEmptyLongAndMisnamedSecrets) {
  auto store = open();
  const auto shorty = locked::Bytes::copy_of("1234567");
  EXPECT_EQ(refusal([&] { put(store, "a", "1234567"); }), "ERR_USAGE short");
  EXPECT_EQ(refusal([&] { put(store, "a", ""); }), "ERR_USAGE empty");
  EXPECT_EQ(refusal([&] { put(store, "a", std::string(kMaxValueBytes + 1, 'x')); }), "ERR_USAGE size");
  EXPECT_EQ(refusal([&] { put(store, "../a"); }), "ERR_USAGE name");
  EXPECT_TRUE(
      store.put({.tenant = "t", .name = "a", .scope = "s", .value = &shorty, .shortness = Short::allow}).is_short);
  put(store, "b");
  EXPECT_EQ(
      refusal([&] {
        store.put({.tenant = "plant-7", .name = "b", .scope = "other", .value = &shorty, .shortness = Short::allow});
      }),
      "ERR_USAGE scope");
}

TEST_F(Vault, ShowsLastFourOnlyOfLongValues) {
  auto store = open();
  EXPECT_EQ(put(store, "long", "0123456789abcdef").last_four, "cdef");
  EXPECT_EQ(put(store, "less", "0123456789abcde").last_four, std::nullopt);
}

TEST_F(Vault, NamesAWrongPassphrase) {
  const auto before = slurp(path_);
  EXPECT_EQ(refusal([&] { (void)open("Correct horse battery staple"); }), "ERR_VAULT_SHARE passphrase");
  EXPECT_EQ(slurp(path_), before) << "nothing is changed";
}

TEST_F(Vault, SaysWhenThereIsNone) {
  path_ = folder_ / "other.db";
  EXPECT_EQ(refusal([&] { (void)open(); }), "ERR_VAULT_NOT_FOUND vault");
  EXPECT_EQ(refusal([&] { (void)Store::standing(path_); }), "ERR_VAULT_NOT_FOUND vault");
}

TEST_F(Vault, IsNotMadeTwice) {
  EXPECT_EQ(refusal([&] { Store::create(path_, locked::Bytes::copy_of(kPassphrase), keys::kMemoryFloor, kClock); }),
            "ERR_FILE_UNSUITABLE exists");
  EXPECT_EQ(refusal([&] { Store::create(folder_ / "b.db", locked::Bytes::copy_of(kPassphrase), 1 << 20, kClock); }),
            "ERR_USAGE kdf-memory");
}

TEST_F(Vault, HoldsNothingReadable) {
  {
    auto store = open();
    put(store, "plc-token-name");
    put(store, "to-be-removed", "value-that-goes-away");
    store.remove("plant-7", "to-be-removed");
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const auto bytes = slurp(entry.path());
    for (const auto* text : {"s3cr3t-value", "plc-token-name", "firmware", "plant-7", "to-be-removed", "goes-away",
                             "lease", "correct horse"})
      EXPECT_EQ(bytes.find(text), std::string::npos) << text << " in " << entry.path();
  }
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Vault, HidesTheExactLengthOfAValue) {
  auto store = open();
  put(store, "a", "12345678");
  const auto small = std::filesystem::file_size(path_);
  put(store, "a", std::string(200, 'x'));
  EXPECT_EQ(std::filesystem::file_size(path_), small);
}

TEST_F(Vault, ChangesPassphraseAndKeepsSecrets) {
  {
    auto store = open();
    put(store, "a");
    store.rekey(locked::Bytes::copy_of("new passphrase"), keys::kMemoryFloor);
  }
  EXPECT_EQ(refusal([&] { (void)open(); }), "ERR_VAULT_SHARE passphrase");
  auto store = open("new passphrase");
  EXPECT_EQ(value_of(store, "a"), kValue);
}

TEST_F(Vault, WritesWhoDidWhatBeforeAValueLeaves) {
  auto store = open();
  put(store, "a");
  (void)store.lease({"plant-7", "lease", {{"run", "r1"}}}, "a");
  (void)store.show("plant-7", "a");
  std::string actions;
  for (const auto& entry : store.verify()) actions += entry.action + " ";
  EXPECT_EQ(actions, "init put lease show ");
}

TEST_F(Vault, SeesAnotherProcessesWrites) {
  auto one = open();
  auto two = open();
  put(one, "a", "first value");
  put(two, "a", "second value");
  EXPECT_EQ(value_of(one, "a"), "second value");
}

TEST_F(Vault, NoticesAFileThatWentBack) {
  auto store = open();
  const auto old = slurp(path_);
  put(store, "a");
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file << old;
  }
  std::filesystem::resize_file(path_, old.size());
  EXPECT_EQ(refusal([&] { (void)store.list("plant-7"); }).substr(0, 9), "ERR_VAULT");
}

TEST_F(Vault, PublishesAHeadThatGrowsWithEveryWrite) {
  auto store = open();
  const auto before = store.head();
  put(store, "a");
  EXPECT_EQ(store.head().generation, before.generation + 1);
  EXPECT_NE(store.head().root, before.root);
  EXPECT_EQ(Store::standing(path_).head.root, store.head().root);
  (void)store.list("plant-7");
  EXPECT_EQ(store.head().generation, before.generation + 1) << "reading is no write";
}

// A changed bit is refused, or lies where SQLite keeps nothing: then every value still comes out whole. Argon2id at its
// floor costs 0.1 s, so the positions are sampled: closely in SQLite's header, then one in every 509 bytes.
TEST_F(Vault, NeverBelievesAChangedBit) {
  {
    auto store = open();
    put(store, "a");
  }
  const auto whole = slurp(path_);
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 28 ? 1 : at < 120 ? 7 : 509) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    spill(path_, bytes);
    const auto said = refusal([&] {
      auto store = open();
      ASSERT_EQ(value_of(store, "a"), kValue) << "byte " << at;
    });
    if (said == "none") continue;
    ++refused;
    EXPECT_EQ(said.substr(0, 18), "ERR_VAULT_TAMPERED") << "byte " << at << ": " << said;
  }
  EXPECT_GT(refused, 3);
}

TEST_F(Vault, BacksUpAVaultThatOpens) {
  auto store = open();
  put(store, "a");
  const auto target = folder_ / "backup.db";
  store.backup(target);
  auto copy = Store::open(
      target, [] { return locked::Bytes::copy_of(kPassphrase); }, kClock);
  EXPECT_EQ(value_of(copy, "a"), kValue);
}

}  // namespace
}  // namespace stella::secrets
