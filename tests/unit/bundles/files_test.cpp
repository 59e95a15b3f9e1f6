// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "bundles/fault/error.hpp"
#include "bundles/files/home.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/stamp.hpp"
#include "bundles/files/tree.hpp"
#include "bundles/files/write.hpp"

using namespace stella;
namespace fs = std::filesystem;

namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "stella-files.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  void TearDown() override { files::remove_tree(root); }
  std::string root;
};

std::string reason_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return error.reason();
  }
  return "none";
}

}  // namespace

TEST_F(Files, WriteAtomicallyLeavesTheModeAsAskedAndNoTemporaryFile) {
  files::write_atomically(root + "/a", "one", 0640);
  files::write_atomically(root + "/a", "two", 0600);
  EXPECT_EQ(files::read_input(root + "/a", {10}), "two");
  struct stat info {};
  ::stat((root + "/a").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(files::list_tree(root).size(), 1U);
}

TEST_F(Files, WriteThatMayNotReplaceLeavesTheOldFile) {
  files::write_atomically(root + "/a", "one", 0600);
  EXPECT_EQ(reason_of([&] { files::write_atomically(root + "/a", "two", 0600, files::Replace::no); }), "exists");
  EXPECT_EQ(files::read_input(root + "/a", {10}), "one");
  EXPECT_EQ(files::list_tree(root).size(), 1U);
}

TEST_F(Files, KilledAtEachPointOfAWriteLeavesOldOrNewContent) {
  for (const char* point : {"files.before-rename", "files.after-rename"}) {
    files::write_atomically(root + "/a", "old", 0600);
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("STELLA_CRASH_AT", point, 1);
      files::write_atomically(root + "/a", "new", 0600);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    // The variable is read once per process; the parent read none, so the child decides by its own copy.
    const std::string content = files::read_input(root + "/a", {10});
    EXPECT_TRUE(content == "old" || content == "new") << point;
  }
}

TEST_F(Files, ReadInputRefusesEverythingThatIsNotABoundedRegularFile) {
  fs::create_directory(root + "/folder");
  ::mkfifo((root + "/fifo").c_str(), 0600);
  files::write_atomically(root + "/empty", "", 0600);
  files::write_atomically(root + "/large", std::string(11, 'x'), 0600);
  fs::create_symlink(root + "/large", root + "/link");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/folder", {10}); }), "folder");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/fifo", {10}); }), "fifo");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/empty", {10}); }), "empty");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/large", {10}); }), "size");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/missing", {10}); }), "missing");
  EXPECT_EQ(reason_of([&] { (void)files::read_input("/dev/zero", {10}); }), "device");
  EXPECT_EQ(reason_of([&] {
              (void)files::read_input(root + "/link", {20, files::Empty::refuse, files::Links::refuse});
            }),
            "link");
  EXPECT_EQ(reason_of([&] { (void)files::read_input(root + "/" + std::string(5000, 'n'), {20}); }), "name");
}

TEST_F(Files, OpenBeneathNeverLeavesItsRoot) {
  fs::create_directory(root + "/in");
  files::write_atomically(root + "/secret", "x", 0600);
  fs::create_symlink("../secret", root + "/in/link");
  const files::Fd folder = files::open_folder(root + "/in");
  EXPECT_THROW((void)files::read_input_beneath(folder, "../secret", {10}), fault::Error);
  EXPECT_THROW((void)files::read_input_beneath(folder, "link", {10}), fault::Error);
  EXPECT_THROW((void)files::read_input_beneath(folder, root + "/secret", {10}), fault::Error);
}

TEST_F(Files, ListTreeIsSortedAndNeverFollowsLinks) {
  fs::create_directories(root + "/t/b");
  files::write_atomically(root + "/t/b/z", "12", 0644);
  fs::create_symlink("/etc", root + "/t/a");
  const auto entries = files::list_tree(root + "/t");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].path, "a");
  EXPECT_EQ(entries[0].link_target, "/etc");
  EXPECT_EQ(entries[2].path, "b/z");
  EXPECT_EQ(entries[2].size_bytes, 2U);
  EXPECT_EQ(reason_of([&] { (void)files::list_tree(root + "/t", 2); }), "entries");
}

TEST_F(Files, NamesWhatCannotBeListedOfAHostileTree) {
  std::string deep = root + "/t";
  for (int i = 0; i < 250; ++i) deep += "/d";
  std::filesystem::create_directories(deep);
  files::write_atomically(root + "/t/file", "x", 0600);
  EXPECT_EQ(reason_of([&] { (void)files::list_tree(root + "/t"); }), "depth");
  const auto listing = files::list_hostile_tree(root + "/t");
  ASSERT_EQ(listing.unlisted.size(), 1U);
  EXPECT_EQ(listing.entries.back().path, "file");
  EXPECT_EQ(files::list_hostile_tree(root + "/t", 2).entries.size(), 2U);
  EXPECT_TRUE(files::list_hostile_tree(root + "/missing").unlisted.empty());
}

TEST_F(Files, RemoveTreeRemovesLinksNotTheirTargets) {
  fs::create_directories(root + "/keep");
  fs::create_directories(root + "/go");
  fs::create_symlink(root + "/keep", root + "/go/link");
  files::remove_tree(root + "/go");
  files::remove_tree(root + "/never-there");
  EXPECT_TRUE(fs::exists(root + "/keep"));
  EXPECT_FALSE(fs::exists(root + "/go"));
}

TEST_F(Files, HomeThatOthersCanWriteIsRefused) {
  fs::create_directory(root + "/home");
  ::chmod((root + "/home").c_str(), 0777);
  EXPECT_EQ(reason_of([&] { (void)files::Home::open(root + "/home"); }), "mode");
  ::chmod((root + "/home").c_str(), 0700);
  EXPECT_EQ(files::Home::open(root + "/home").runs(), fs::canonical(root + "/home").string() + "/runs");
  const files::Home made = files::Home::open(root + "/new/deep");
  EXPECT_EQ(made.path(), fs::canonical(root + "/new/deep").string());
}

TEST_F(Files, AStampChangesWithTheFileThatOthersReplace) {
  const std::string path = root + "/watched";
  EXPECT_EQ(files::stamp_of(path), "none");
  files::write_atomically(path, "one", 0600);
  const std::string first = files::stamp_of(path);
  EXPECT_EQ(files::stamp_of(path), first);
  files::write_atomically(path, "two", 0600);  // as long as before, within the same tick of the clock
  EXPECT_NE(files::stamp_of(path), first);
}
