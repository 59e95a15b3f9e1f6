// SPDX-License-Identifier: Apache-2.0
#include "appliance/admission/admission.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "appliance/pack/scaffold.hpp"
#include "bundles/files/write.hpp"

namespace stella::admission {
namespace {

namespace fs = std::filesystem;
using fault::Code;

class Admission : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_);
    (void)pack::write_scaffold(folder());
    policy_.publishers = {{"OT Tools", publisher_.public_key(), {}}};
    policy_.tenants = {{"plant-7", {"demo*"}, {}, {}}, {"plant-8", {"other"}, {}, {}}};
  }
  void TearDown() override { files::remove_tree(root_); }

  [[nodiscard]] std::string folder() const { return root_ + "/demo"; }
  std::string build(const trust::PrivateKey* key, const std::string& version = "0.1.0") {
    return packfile::build(folder(), "demo", version, root_ + "/demo.pack", key).path;
  }
  [[nodiscard]] files::Home home() const { return files::Home::open(root_ + "/home"); }
  [[nodiscard]] Admitted admit_bundle(const std::string& tenant = "plant-7") const {
    return admit(home(), {.pack = {}, .bundle = root_ + "/demo.pack"}, &policy_, tenant);
  }
  void expect_refused(Code code, const std::string& reason, const std::string& tenant = "plant-7") const {
    try {
      (void)admit_bundle(tenant);
      ADD_FAILURE() << "was admitted, not " << reason;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_EQ(error.reason(), reason) << error.what();
    }
  }

  std::string root_ = (fs::temp_directory_path() / ("stella-admission-" + std::to_string(::getpid()))).string();
  trust::PrivateKey publisher_ = trust::PrivateKey::generate();
  site::Policy policy_;
};

TEST_F(Admission, GivesASignedPackWithItsManifest) {
  (void)build(&publisher_);
  const Admitted admitted = admit_bundle();
  EXPECT_EQ(admitted.manifest.name_version(), "demo:0.1.0");
  ASSERT_EQ(admitted.pack.publishers.size(), 1U);
  EXPECT_EQ(admitted.pack.publishers[0].name, "OT Tools");
  EXPECT_EQ(admitted.pack.blobs, home().packs() + "/" + admitted.pack.digest.hex());
  EXPECT_TRUE(reader_of(admitted.pack)("steps/count.sh").has_value());
  EXPECT_FALSE(reader_of(admitted.pack)("steps/none.sh").has_value());
}

TEST_F(Admission, LeavesOnlyThePackInTheCache) {
  (void)build(&publisher_);
  (void)admit_bundle();
  (void)admit_bundle();
  EXPECT_EQ(std::distance(fs::directory_iterator(home().packs()), fs::directory_iterator()), 1);
}

TEST_F(Admission, RepairsADamagedCache) {
  (void)build(&publisher_);
  const Admitted first = admit_bundle();
  const std::string blob = first.pack.blobs + "/" + first.pack.layers[0].hex();
  fs::permissions(blob, fs::perms::owner_all);
  std::ofstream(blob) << "rubbish";
  EXPECT_EQ(admit_bundle().manifest.name, "demo");
}

TEST_F(Admission, TrustsNobodyWithoutAPolicy) {
  (void)build(&publisher_);
  try {
    (void)admit(home(), {.pack = {}, .bundle = root_ + "/demo.pack"}, nullptr, "plant-7");
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), "unknown-publisher");
  }
  EXPECT_EQ(look(home(), {.pack = {}, .bundle = root_ + "/demo.pack"}).manifest.name, "demo");
}

TEST_F(Admission, RefusesUnsignedForeignAndDeniedPacks) {
  (void)build(nullptr);
  expect_refused(Code::pack_signature, "unsigned");
  const auto stranger = trust::PrivateKey::generate();
  (void)build(&stranger);
  expect_refused(Code::pack_signature, "unknown-publisher");
  (void)build(&publisher_);
  policy_.denied = {{"demo:0.1.0", "withdrawn"}};
  expect_refused(Code::pack_signature, "denied");
}

TEST_F(Admission, ChecksTheSignatureBeforeItReadsTheManifest) {
  std::ofstream(folder() + "/pack.yaml") << "not: [a pack";
  (void)build(nullptr);
  expect_refused(Code::pack_signature, "unsigned");
  (void)build(&publisher_);
  expect_refused(Code::pack_invalid, "yaml");
}

TEST_F(Admission, KeepsTenantsApart) {
  (void)build(&publisher_);
  expect_refused(Code::pack_signature, "scope", "plant-8");
}

TEST_F(Admission, RefusesANameWithOtherContent) {
  (void)build(&publisher_);
  (void)admit_bundle();
  std::ofstream(folder() + "/docs/usage.md") << "changed";
  (void)build(&publisher_);
  expect_refused(Code::pack_signature, "digest");
}

TEST_F(Admission, RefusesAManifestThatSaysAnotherVersion) {
  (void)build(&publisher_, "9.9.9");
  expect_refused(Code::pack_invalid, "name");
}

TEST_F(Admission, SaysWhichPackIsNotThere) {
  EXPECT_THROW((void)admit(home(), {.pack = "demo:0.1.0", .bundle = {}}, &policy_, "plant-7"), fault::Error);
  EXPECT_THROW((void)admit(home(), {}, &policy_, "plant-7"), fault::Error);
}

}  // namespace
}  // namespace stella::admission
