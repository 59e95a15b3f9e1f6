// SPDX-License-Identifier: Apache-2.0
#include "bundles/files/named.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "bundles/fault/error.hpp"
#include "bundles/files/read.hpp"

namespace stella::files {
namespace {

// Brings files of one folder, as the process of another person would.
class Recorded : public Bearer {
 public:
  explicit Recorded(std::string folder) : folder_(std::move(folder)) {}
  Fd open(const std::string& path) override {
    asked += "open " + path + "\n";
    return open_input(folder_ + path, {1 << 20});
  }
  Fd open_beneath(const std::string& folder, const std::string& relative) override {
    asked += "open " + relative + " beneath " + folder + "\n";
    return files::open_beneath(open_folder(folder_ + folder), relative, O_RDONLY);
  }
  void write(const std::string& path, std::string_view bytes, unsigned, Replace) override {
    asked += "write " + path + " " + std::string(bytes) + "\n";
  }
  bool is_folder(const std::string& path) override { return path == "/home/ana"; }
  std::string asked;

 private:
  std::string folder_;
};

class Named : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/stella-named-XXXXXX";
    root_ = ::mkdtemp(name);
    make_folders(root_ + "/home/ana");
    std::ofstream(root_ + "/home/ana/in.json") << "theirs";
    bearer_.emplace(root_);
  }
  void TearDown() override {
    set_bearer(nullptr, "");
    remove_tree(root_);
  }
  std::string root_;
  std::optional<Recorded> bearer_;
};

TEST_F(Named, ChangesNothingWithoutABearer) {
  EXPECT_EQ(named("in.json"), "in.json");
  EXPECT_EQ(bearer_of("operator:/x"), nullptr);
  EXPECT_EQ(plain("operator:/x"), "operator:/x");
}

TEST_F(Named, MakesAPathAbsoluteInThePersonsFolderOnce) {
  set_bearer(&*bearer_, "/home/ana");
  EXPECT_EQ(named("in.json"), "operator:/home/ana/in.json");
  EXPECT_EQ(named("/etc/x"), "operator:/etc/x");
  EXPECT_EQ(named(named("/etc/x")), "operator:/etc/x");
  EXPECT_EQ(named("-"), "-");
  EXPECT_EQ(plain("operator:/etc/x"), "/etc/x");
}

TEST_F(Named, ReadsAndWritesThroughTheBearerOnly) {
  set_bearer(&*bearer_, "/home/ana");
  EXPECT_EQ(read_input(named("in.json"), {100}), "theirs");
  write_atomically(named("out.json"), "bytes", 0644);
  EXPECT_EQ(bearer_->asked, "open /home/ana/in.json\nwrite /home/ana/out.json bytes\n");
  EXPECT_TRUE(is_folder(named("/home/ana")));
  EXPECT_FALSE(is_folder(named("/tmp")));
}

TEST_F(Named, ChecksTheKindOfWhatIsBrought) {
  set_bearer(&*bearer_, "/home/ana");
  EXPECT_THROW((void)read_input(named("in.json"), {3}), fault::Error);  // larger than allowed
  EXPECT_THROW((void)read_input(named("/home"), {100}), fault::Error);
}

TEST_F(Named, IsNoFileForWhoeverOpensItOtherwise) {
  set_bearer(&*bearer_, "/home/ana");
  EXPECT_EQ(::access(named(root_ + "/home/ana/in.json").c_str(), F_OK), -1);
  EXPECT_THROW(AtomicFile(named("/tmp/x"), 0600), fault::Error);
}

}  // namespace
}  // namespace stella::files
