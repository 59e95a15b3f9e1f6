// SPDX-License-Identifier: Apache-2.0
#include "mirror/source/source.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "mirror/metadata/verify.hpp"
#include "mirror/source/generation.hpp"

namespace stella::source {
namespace {

using namespace std::chrono_literals;

struct FixedClock : clock::Clock {
  clock::Time time = clock::parse_time("2026-11-23T12:00:00Z", fault::Code::internal, "test");
  clock::Time now() const override { return time; }
};
struct FixedPassphrase : trust::Passphrases {
  int asked = 0;
  locked::Bytes ask(const std::string&) override {
    ++asked;
    return locked::Bytes::copy_of("correct horse");
  }
  locked::Bytes ask_new(const std::string& prompt) override { return ask(prompt); }
};

class Mirror : public testing::Test {
 protected:
  Mirror() : path_(testing::TempDir() + "source-" + canon::random_hex(6)) {
    std::filesystem::create_directories(path_ + "/stick");
    for (const std::string name : {"root1", "root2"}) key(name);
    for (const std::string role : {"targets", "snapshot", "timestamp", "stable"}) role_keys_[role] = key(role);
  }
  ~Mirror() override { files::remove_tree(path_); }

  std::string key(const std::string& name) {
    const trust::PrivateKey made = trust::PrivateKey::generate();
    const std::string file = path_ + "/" + name + ".key";
    files::write_atomically(file, trust::plain_key(made).view(), 0600);
    files::write_atomically(file + ".pub", made.public_key().pem(), 0644);
    return file;
  }
  InitRequest request() const {
    return {.folder = path_ + "/mirror",
            .name = "outside-1",
            .root_keys = {path_ + "/root1.key", path_ + "/root2.key"},
            .threshold = 2,
            .role_keys = role_keys_};
  }
  Published publish() {
    return source::publish(path_ + "/mirror", path_ + "/stick", clock_, passphrases_, [](const std::string&) {});
  }
  metadata::Verified verify(const Published& published, std::int64_t held = 0) const {
    const auto read = [&](const std::string& name, std::uint64_t max_bytes) -> std::optional<std::string> {
      const std::string file = published.path + "/metadata/" + name;
      if (!std::filesystem::exists(file)) return std::nullopt;
      return files::read_input(file, {.max_bytes = max_bytes});
    };
    const std::string root = files::read_input(path_ + "/mirror/metadata/1.root.json", {.max_bytes = 1 << 20});
    return metadata::verify_update(metadata::parse_pinned_root(root, "1.root.json"), read,
                                   {.generation = held, .timestamp = {}, .roles = {}, .issued = {}}, {clock_.time, 0s});
  }

  std::string path_;
  std::map<std::string, std::string> role_keys_;
  FixedClock clock_;
  FixedPassphrase passphrases_;
};

TEST_F(Mirror, PublishesMetadataThatVerifies) {
  init(request(), clock_, passphrases_);
  const Published first = publish();
  EXPECT_EQ(first.generation, 1);
  const metadata::Verified verified = verify(first);
  EXPECT_EQ(verified.generation(), 1);
  EXPECT_EQ(verified.source(), "outside-1");
  EXPECT_EQ(verified.root.root.header.expires - clock_.time, 365 * 24h);
  EXPECT_EQ(verified.targets.header.expires - clock_.time, 90 * 24h);
  EXPECT_EQ(verified.snapshot.header.expires - clock_.time, 30 * 24h);
  EXPECT_EQ(verified.timestamp.header.expires - clock_.time, 7 * 24h);
}

TEST_F(Mirror, MakesANewGenerationWhenItsTimestampIsHalfOver) {
  init(request(), clock_, passphrases_);
  EXPECT_TRUE(publish().is_new);
  clock_.time += 80h;
  EXPECT_FALSE(publish().is_new);
  clock_.time += 5h;
  const Published second = publish();
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(verify(second, 1).generation(), 2);
}

TEST_F(Mirror, NeverStoresARootKey) {
  init(request(), clock_, passphrases_);
  const std::string secret = files::read_input(path_ + "/root1.key", {.max_bytes = 65536});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_ + "/mirror")) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    EXPECT_NE(files::read_input(entry.path(), {.max_bytes = 1 << 20}), secret) << entry.path();
  }
}

TEST_F(Mirror, SealsTheKeysItMakesWithOnePassphrase) {
  InitRequest sealed = request();
  sealed.role_keys.clear();
  sealed.kdf_memory = trust::kKdfMemoryFloor;
  init(sealed, clock_, passphrases_);
  EXPECT_EQ(passphrases_.asked, 1);
  EXPECT_EQ(publish().generation, 1);
  EXPECT_EQ(passphrases_.asked, 2);
}

TEST_F(Mirror, RefusesAKeyThatIsNotTheRolesOwn) {
  init(request(), clock_, passphrases_);
  std::filesystem::copy_file(path_ + "/root1.key", path_ + "/targets.key",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THROW(publish(), fault::Error);
  EXPECT_TRUE(std::filesystem::is_empty(path_ + "/stick"));
}

TEST_F(Mirror, NeedsEnoughPrivateRootKeys) {
  InitRequest few = request();
  few.root_keys[1] += ".pub";
  EXPECT_THROW(init(few, clock_, passphrases_), fault::Error);
  few.threshold = 1;
  init(few, clock_, passphrases_);
  EXPECT_EQ(verify(publish()).root.root.roles.at("root").key_ids.size(), 2U);
}

TEST(LayOut, PutsManifestsFirstAndEachBlobOnce) {
  const auto blob = [](const std::string& text) { return blobs::Blob{canon::sha256(text), text.size()}; };
  catalog::Pack one, two;
  one.manifest = blob("m1");
  one.blobs = {blob("a"), blob("shared")};
  two.manifest = blob("m2");
  two.blobs = {blob("shared"), blob("b")};
  std::vector<blobs::Blob> order;
  for (const volumes::Row& row : lay_out_packs({one, two})) order.push_back(row.blob);
  EXPECT_EQ(order, (std::vector<blobs::Blob>{blob("m1"), blob("m2"), blob("a"), blob("shared"), blob("b")}));
}

}  // namespace
}  // namespace stella::source
