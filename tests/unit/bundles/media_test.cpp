// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"
#include "bundles/media/copy.hpp"

using namespace stella;
namespace fs = std::filesystem;

namespace {

class Medium : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "stella-media.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
    files::make_folders(root + "/source/in");
    files::make_folders(root + "/stick");
    files::write_atomically(root + "/source/in/a", "aaa", 0644);
    files::write_atomically(root + "/source/b", "bb", 0644);
    list = {{"b", canon::sha256(std::string_view("bb")), 2}, {"in/a", canon::sha256(std::string_view("aaa")), 3}};
  }
  void TearDown() override { files::remove_tree(root); }
  media::Copied copy() {
    return media::copy_verified(media::from_folder(root + "/source"), list,
                                media::open_volume(root + "/stick", media::Fixed::allow), root + "/stick/E/bag",
                                [](std::uint64_t) {});
  }
  std::string reason(const std::function<void()>& act) {
    try {
      act();
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "none";
  }
  std::string root;
  std::vector<media::File> list;
};

}  // namespace

TEST_F(Medium, PlainFolderIsRefusedUnlessItIsAllowed) {
  EXPECT_EQ(reason([&] { (void)media::open_volume(root + "/stick", media::Fixed::refuse); }), "not-a-mount");
  EXPECT_EQ(reason([&] { (void)media::open_volume(root + "/source/b", media::Fixed::allow); }), "folder");
  EXPECT_EQ(reason([&] { (void)media::open_volume(root + "/missing", media::Fixed::allow); }), "missing");
  EXPECT_GT(media::open_volume(root + "/stick", media::Fixed::allow).free_bytes, 0U);
}

TEST_F(Medium, CopyStandsWholeAndASecondOneFindsItThere) {
  EXPECT_EQ(copy().outcome, media::Outcome::written);
  EXPECT_TRUE(fs::exists(root + "/stick/E/bag/in/a"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root + "/stick/E"), {}), 1) << "no partial folder is left";
  EXPECT_EQ(copy().outcome, media::Outcome::already_there);
}

TEST_F(Medium, FolderWithOtherContentIsNeverOverwritten) {
  (void)copy();
  files::write_atomically(root + "/stick/E/bag/b", "xx", 0644);
  EXPECT_EQ(reason([&] { (void)copy(); }), "exists");
}

TEST_F(Medium, SourceThatIsNotWhatItsListSaysIsNotCopied) {
  files::write_atomically(root + "/source/b", "xx", 0644);
  EXPECT_EQ(reason([&] { (void)copy(); }), "content");
  EXPECT_TRUE(fs::is_empty(root + "/stick/E")) << "a half copy stayed";
}

TEST_F(Medium, WhatDoesNotFitIsRefusedBeforeAByteIsWritten) {
  list.front().size_bytes = std::uint64_t{1} << 50;
  EXPECT_EQ(reason([&] { (void)copy(); }), "preflight");
  EXPECT_FALSE(fs::exists(root + "/stick/E"));
}
