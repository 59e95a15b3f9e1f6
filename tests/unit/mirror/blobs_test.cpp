// SPDX-License-Identifier: Apache-2.0
#include "mirror/blobs/store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "bundles/files/write.hpp"

namespace stella::blobs {
namespace {

class Blobs : public testing::Test {
 protected:
  Blobs() : folder_(testing::TempDir() + "blobs-" + canon::random_hex(6)), store_(folder_) {
    std::filesystem::create_directory(folder_);
  }
  ~Blobs() override { files::remove_tree(folder_); }

  static Blob blob_of(std::string_view text) { return {canon::sha256(text), text.size()}; }
  static void put(Batch& batch, std::string_view text) {
    batch.begin(blob_of(text));
    batch.write(text);
    batch.finish();
  }
  std::string folder_;
  Store store_;
};

TEST_F(Blobs, AppearOnlyAfterTheCommit) {
  Batch batch(store_);
  put(batch, "one");
  EXPECT_FALSE(store_.holds(blob_of("one")));
  batch.commit();
  EXPECT_TRUE(store_.holds(blob_of("one")));
  EXPECT_EQ(store_.read(blob_of("one"), 100), "one");
  struct stat info {};
  ASSERT_EQ(::stat(store_.path_of(canon::sha256("one")).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0444U);
}

TEST_F(Blobs, AreRefusedWithOtherBytesThanTheirDigest) {
  Batch batch(store_);
  batch.begin(blob_of("right"));
  batch.write("wrong");
  EXPECT_THROW(batch.finish(), fault::Error);
  batch.commit();
  EXPECT_FALSE(store_.holds(blob_of("right")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/staging"));
}

TEST_F(Blobs, AreRefusedLongerOrShorterThanSigned) {
  Batch batch(store_);
  batch.begin(blob_of("four"));
  EXPECT_THROW(batch.write("fours"), fault::Error);
  batch.begin(blob_of("four"));
  batch.write("fou");
  EXPECT_THROW(batch.finish(), fault::Error);
}

TEST_F(Blobs, OfAnInterruptedBatchAreAdopted) {
  {
    Batch batch(store_);
    put(batch, "whole");
    batch.begin(blob_of("half a blob"));
    batch.write("half");
  }
  Batch next(store_);
  EXPECT_EQ(next.adopted(), 1U);
  EXPECT_TRUE(store_.holds(blob_of("whole")));
  EXPECT_FALSE(store_.holds(blob_of("half a blob")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/staging"));
}

TEST_F(Blobs, ThatRottedInStagingAreNotAdopted) {
  {
    Batch batch(store_);
    put(batch, "whole");
  }
  const std::string part = folder_ + "/staging/" + canon::sha256("whole").hex();
  std::filesystem::permissions(part, std::filesystem::perms::owner_all);
  std::ofstream(part) << "whale";
  Batch next(store_);
  EXPECT_EQ(next.adopted(), 0U);
  EXPECT_FALSE(store_.holds(blob_of("whole")));
}

TEST_F(Blobs, AlteredInPlaceAreFoundWhenRead) {
  {
    Batch batch(store_);
    put(batch, "whole");
    batch.commit();
  }
  const std::string path = store_.path_of(canon::sha256("whole"));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::ofstream(path) << "whale";
  EXPECT_THROW((void)store_.read(blob_of("whole"), 100), fault::Error);
}

TEST_F(Blobs, AreNeverReadThroughALink) {
  store_.make();
  std::ofstream(folder_ + "/elsewhere") << "whole";
  std::filesystem::create_symlink(folder_ + "/elsewhere", store_.path_of(canon::sha256("whole")));
  EXPECT_FALSE(store_.holds(blob_of("whole")));
}

TEST_F(Blobs, ManyAreListed) {
  Batch batch(store_);
  for (int i = 0; i < 300; ++i) put(batch, std::to_string(i));
  put(batch, "");
  batch.commit();
  EXPECT_EQ(store_.list().size(), 301U);
}

}  // namespace
}  // namespace stella::blobs
