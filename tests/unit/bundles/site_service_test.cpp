// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "bundles/fault/error.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/service_home.hpp"

namespace stella::site {
namespace {

constexpr const char* kGood =
    R"({"schema":"stella.service.v1","home":"/var/lib/stella","socket":"/run/stella/service.socket","group":"ops"})";

std::string reason_of(const std::string& text) {
  try {
    (void)parse_service_home(text, "service.json");
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "taken";
}

TEST(ServiceFile, NamesHomeSocketAndGroup) {
  const ServiceHome service = parse_service_home(kGood, "service.json");
  EXPECT_EQ(service.home, "/var/lib/stella");
  EXPECT_EQ(service.socket, "/run/stella/service.socket");
  EXPECT_EQ(service.group, "ops");
}

TEST(ServiceFile, IsReadStrictly) {
  for (const char* text :
       {"", "[]", "{}", R"({"schema":"stella.service.v2","home":"/a","socket":"/b"})",
        R"({"schema":"stella.service.v1","home":"a","socket":"/b"})",
        R"({"schema":"stella.service.v1","home":"/a","socket":"b"})", R"({"schema":"stella.service.v1","home":"/a"})",
        R"({"schema":"stella.service.v1","home":"/a","socket":"/b","user":"x"})"})
    EXPECT_EQ(reason_of(text).substr(0, 15), "ERR_HOME_UNSAFE") << text;
}

class ServiceFileOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/stella-service-XXXXXX";
    root_ = ::mkdtemp(name);
    files::write_atomically(root_ + "/service.json", kGood, 0644);
  }
  void TearDown() override { files::remove_tree(root_); }
  std::string load() {
    try {
      const auto found = load_service_home(root_ + "/service.json");
      return found ? found->home : "none";
    } catch (const fault::Error& error) {
      return error.reason();
    }
  }
  std::string root_;
};

TEST_F(ServiceFileOnDisk, IsNothingWhereThereIsNone) {
  files::remove_tree(root_ + "/service.json");
  EXPECT_EQ(load(), "none");
}

TEST_F(ServiceFileOnDisk, MustBeRootsAlone) {
  if (::geteuid() != 0) {
    EXPECT_EQ(load(), "service-file");
    GTEST_SKIP() << "root, to own the file";
  }
  EXPECT_EQ(load(), "/var/lib/stella");
  ::chmod((root_ + "/service.json").c_str(), 0664);
  EXPECT_EQ(load(), "service-file");
  ::chmod((root_ + "/service.json").c_str(), 0644);
  ASSERT_EQ(::chown((root_ + "/service.json").c_str(), 1, 0), 0);
  EXPECT_EQ(load(), "service-file");
}

TEST_F(ServiceFileOnDisk, IsNotFollowedThroughALink) {
  ASSERT_EQ(::rename((root_ + "/service.json").c_str(), (root_ + "/real.json").c_str()), 0);
  ASSERT_EQ(::symlink("real.json", (root_ + "/service.json").c_str()), 0);
  EXPECT_NE(load(), "/var/lib/stella");
}

TEST(Acting, AnOperatorIsWhoTheServiceSays) {
  const uid_t nobody_has = 3999999999U;
  Policy policy;
  policy.tenants.push_back({.name = "a", .packs = {}, .operators = {{"Ana Ortiz", "uid:3999999999"}}, .approvers = {}});
  policy.tenants.push_back({.name = "b", .packs = {}, .operators = {{"Bo Lind", "bo"}}, .approvers = {}});
  EXPECT_EQ(user_of(nobody_has), "uid:3999999999");
  EXPECT_EQ(tenants_of(policy, nobody_has), std::vector<std::string>{"a"});
  EXPECT_TRUE(tenants_of(policy, 3999999998U).empty());
  act_for(nobody_has);
  EXPECT_EQ(operator_name(&policy.tenants[0]), "Ana Ortiz");
  EXPECT_EQ(operator_name(&policy.tenants[1]), "unlisted:uid:3999999999");
  EXPECT_EQ(acted_for(), nobody_has);
  act_for(std::nullopt);
}

}  // namespace
}  // namespace stella::site
