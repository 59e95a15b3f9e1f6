// SPDX-License-Identifier: Apache-2.0
#include "mirror/catalog/catalog.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bundles/canon/json.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "mirror/catalog/export.hpp"
#include "mirror/catalog/manifest.hpp"

namespace stella::catalog {
namespace {

class Registry : public testing::Test {
 protected:
  Registry() : path_(testing::TempDir() + "catalog-" + canon::random_hex(6)), home_(files::Home::open(path_)) {}
  ~Registry() override { files::remove_tree(path_); }

  blobs::Blob put(const std::string& text) {
    const blobs::Store store(home_.mirror());
    blobs::Batch batch(store);
    const blobs::Blob blob{canon::sha256(text), text.size()};
    batch.begin(blob);
    batch.write(text);
    batch.finish();
    batch.commit();
    return blob;
  }
  Pack pack(const std::string& name, const std::string& content, std::vector<std::string> tenants = {}) {
    Pack made;
    made.name = name;
    made.version = "1.0.0";
    made.blobs = {put("config " + content), put("layer " + content)};
    made.digest = made.blobs[0].digest;
    made.manifest = put("manifest " + content);
    made.tenants = std::move(tenants);
    made.channels = {"stable"};
    return made;
  }
  static Catalog::Activation generation(std::int64_t number, std::vector<Pack> packs) {
    return {.generation = {number, "outside-1", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", "{}", 0},
            .documents = {{"timestamp.json", "{}"}},
            .packs = std::move(packs),
            .skipped = {}};
  }

  std::string path_;
  files::Home home_;
};

TEST_F(Registry, KeepsWhatWasActivated) {
  Catalog::open(home_).activate(generation(1, {pack("tool", "a", {"plant-7"})}));
  const Catalog catalog = Catalog::open(home_);
  EXPECT_EQ(catalog.current()->number, 1);
  const auto found = catalog.find("tool:1.0.0");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->blobs.size(), 2U);
  EXPECT_EQ(found->channels, std::vector<std::string>{"stable"});
  EXPECT_EQ(found->tenants, std::vector<std::string>{"plant-7"});
  EXPECT_FALSE(catalog.find("tool:2.0.0"));
  EXPECT_FALSE(catalog.find("tool"));
}

TEST_F(Registry, RefusesAVersionThatChanged) {
  const Catalog catalog = Catalog::open(home_);
  catalog.activate(generation(1, {pack("tool", "a")}));
  EXPECT_THROW(catalog.activate(generation(2, {pack("tool", "b")})), fault::Error);
  EXPECT_EQ(catalog.current()->number, 1);
  EXPECT_THROW(catalog.note_seen("tool:1.0.0", canon::sha256("other")), fault::Error);
  catalog.note_seen("other:1.0.0", canon::sha256("one"));
  EXPECT_THROW(catalog.require_unchanged("other:1.0.0", canon::sha256("two")), fault::Error);
}

TEST_F(Registry, RemembersAVersionThatWasForgotten) {
  const Catalog catalog = Catalog::open(home_);
  catalog.activate(generation(1, {pack("tool", "a")}));
  catalog.forget(*catalog.find("tool:1.0.0"));
  EXPECT_FALSE(catalog.find("tool:1.0.0"));
  EXPECT_THROW(catalog.require_unchanged("tool:1.0.0", canon::sha256("other")), fault::Error);
}

TEST_F(Registry, HidesAPackFromOtherTenants) {
  Catalog::open(home_).activate(generation(1, {pack("tool", "a", {"plant-7"}), pack("free", "b")}));
  EXPECT_EQ(need_pack(home_, "tool:1.0.0", "plant-7").name, "tool");
  EXPECT_EQ(need_pack(home_, "free:1.0.0", "plant-8").name, "free");
  EXPECT_THROW((void)need_pack(home_, "tool:1.0.0", "plant-8"), fault::Error);
}

TEST_F(Registry, ExportsTheSameBytesAndRefusesDamagedBlobs) {
  const Pack tool = pack("tool", "a");
  Catalog::open(home_).activate(generation(1, {tool}));
  const auto exported = [&](const std::string& name) {
    export_pack(home_, "tool:1.0.0", "plant-7", path_ + "/" + name);
    return files::read_input(path_ + "/" + name, {.max_bytes = 1 << 20});
  };
  EXPECT_EQ(exported("one.pack"), exported("two.pack"));
  const std::string blob = blobs::Store(home_.mirror()).path_of(tool.blobs[1].digest);
  std::filesystem::permissions(blob, std::filesystem::perms::owner_all);
  std::ofstream(blob) << "layer A";
  EXPECT_THROW(exported("three.pack"), fault::Error);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/three.pack"));
}

TEST_F(Registry, WritesAnIndexThatFollowsTheCatalog) {
  const Catalog catalog = Catalog::open(home_);
  catalog.activate(generation(1, {pack("tool", "a")}));
  write_derived(home_, catalog);
  const std::string index = files::read_input(home_.mirror() + "/index.json", {.max_bytes = 1 << 20});
  EXPECT_NE(index.find("\"org.opencontainers.image.ref.name\":\"tool:1.0.0\""), std::string::npos);
  std::ofstream(home_.mirror() + "/metadata/planted.json") << "{}";
  write_derived(home_, catalog);
  EXPECT_FALSE(std::filesystem::exists(home_.mirror() + "/metadata/planted.json"));
}

TEST(Manifest, IsReadStrictly) {
  const std::string digest = canon::sha256("x").tagged();
  const canon::Json part = {{"mediaType", "application/x"}, {"digest", digest}, {"size", 3}};
  const canon::Json good = {{"schemaVersion", 2},
                            {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                            {"artifactType", "application/vnd.stella.pack.v1"},
                            {"config", part},
                            {"layers", {part}}};
  EXPECT_EQ(parse_manifest(canon::canonical(good), "x").layers.size(), 1U);
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, canon::Json>>{{"/schemaVersion", 1},
                                                        {"/mediaType", "application/vnd.oci.image.index.v1+json"},
                                                        {"/artifactType", "x"},
                                                        {"/subject", part},
                                                        {"/layers/0/urls", {"http://x"}},
                                                        {"/layers/0/data", "eA=="},
                                                        {"/config/size", -1},
                                                        {"/config/digest", "sha512:" + std::string(128, 'a')},
                                                        {"/config/digest", "sha256:../../x"}}) {
    canon::Json bad = good;
    bad[canon::Json::json_pointer(pointer)] = value;
    EXPECT_THROW((void)parse_manifest(canon::canonical(bad), "x"), fault::Error) << pointer;
  }
}

}  // namespace
}  // namespace stella::catalog
