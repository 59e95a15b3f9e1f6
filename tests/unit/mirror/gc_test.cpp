// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "bundles/files/write.hpp"
#include "mirror/blobs/store.hpp"
#include "mirror/catalog/catalog.hpp"
#include "mirror/catalog/lock.hpp"
#include "mirror/gc/collect.hpp"

namespace stella::gc {
namespace {

class Registry : public testing::Test {
 protected:
  Registry()
      : path_(testing::TempDir() + "gc-" + canon::random_hex(6)),
        home_(files::Home::open(path_)),
        store_(home_.mirror()) {}
  ~Registry() override { files::remove_tree(path_); }

  blobs::Blob put(const std::string& text) {
    blobs::Batch batch(store_);
    const blobs::Blob blob{canon::sha256(text), text.size()};
    batch.begin(blob);
    batch.write(text);
    batch.finish();
    batch.commit();
    return blob;
  }
  // One pack of this name in one generation; its layer `shared` is everyone's.
  void hold(std::int64_t generation, const std::string& name) {
    catalog::Pack pack;
    pack.name = name;
    pack.version = "1.0.0";
    pack.blobs = {put("config " + name), put("shared")};
    pack.digest = pack.blobs[0].digest;
    pack.manifest = put("manifest " + name);
    pack.channels = {"stable"};
    catalog::Catalog::open(home_).activate({.generation = {generation, "outside-1", "t", "t", "{}", 0},
                                            .documents = {{"timestamp.json", "{}"}},
                                            .packs = {pack},
                                            .skipped = {}});
  }
  bool holds(const std::string& text) const { return store_.holds({canon::sha256(text), text.size()}); }

  std::string path_;
  files::Home home_;
  blobs::Store store_;
};

TEST_F(Registry, LosesOnlyWhatTwoGenerationsNoLongerName) {
  hold(1, "old");
  hold(4, "middle");
  hold(9, "new");
  const Collected plan = collect(home_, Mode::plan);
  EXPECT_EQ(plan.packs, std::vector<std::string>{"old:1.0.0"});
  EXPECT_EQ(plan.blobs, 2U);
  EXPECT_TRUE(holds("config old"));
  collect(home_, Mode::sweep);
  EXPECT_FALSE(holds("config old"));
  EXPECT_TRUE(holds("config middle"));
  EXPECT_TRUE(holds("manifest new"));
  EXPECT_TRUE(holds("shared"));
  EXPECT_EQ(collect(home_, Mode::sweep).blobs, 0U);
}

TEST_F(Registry, KeepsWhatWasPromoted) {
  hold(1, "old");
  hold(2, "middle");
  hold(3, "new");
  const catalog::Catalog catalog = catalog::Catalog::open(home_);
  catalog.promote(*catalog.find("old:1.0.0"), "proven");
  EXPECT_TRUE(collect(home_, Mode::sweep).packs.empty());
  EXPECT_TRUE(holds("config old"));
}

TEST_F(Registry, LosesBlobsAndPartsThatNobodyNames) {
  hold(1, "tool");
  put("orphan");
  std::ofstream(home_.mirror() + "/staging/part") << "half";
  const Collected collected = collect(home_, Mode::sweep);
  EXPECT_EQ(collected.blobs, 1U);
  EXPECT_EQ(collected.staged, 1U);
  EXPECT_FALSE(holds("orphan"));
}

TEST_F(Registry, IsNotCollectedUnderAPull) {
  const files::Fd lock = catalog::lock_registry(home_);
  EXPECT_THROW(collect(home_, Mode::sweep), fault::Error);
}

}  // namespace
}  // namespace stella::gc
