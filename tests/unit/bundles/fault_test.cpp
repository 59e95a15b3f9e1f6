// SPDX-License-Identifier: Apache-2.0
#include "bundles/fault/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

using namespace stella;

TEST(Catalogue, GivesEachCodeOneRowWithACauseAnExampleAndARemedy) {
  std::set<std::string_view> names;
  for (const auto& row : fault::catalogue()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.cause.empty()) << row.name;
    EXPECT_FALSE(row.fix.empty()) << row.name;
    EXPECT_NE(row.example.find(row.name), std::string_view::npos) << row.name;
    EXPECT_EQ(fault::find_code(row.name)->code, row.code);
    EXPECT_EQ(fault::info(row.code).name, row.name);
  }
  EXPECT_GE(names.size(), 59U);
}

TEST(Catalogue, UsesOnlyTheExitStatusesOfTheContract) {
  const std::set<int> allowed{1, 2, 3, 4, 5, 6, 7, 8, 10};
  for (const auto& row : fault::catalogue()) EXPECT_TRUE(allowed.contains(row.exit_status)) << row.name;
}

TEST(Error, KeepsItsOwnRemedyBeforeTheCataloguesOne) {
  EXPECT_EQ(fault::Error(fault::Code::usage, "x", "y", "", "do this").fix(), "do this");
  EXPECT_EQ(fault::Error(fault::Code::usage, "x", "y").fix(), fault::info(fault::Code::usage).fix);
}

TEST(SystemError, TellsAFullDiskFromAMissingFileAndAMediumThatWent) {
  EXPECT_EQ(fault::system_error(ENOSPC, "writing", "f").code(), fault::Code::no_space);
  EXPECT_EQ(fault::system_error(ENOENT, "opening", "f").code(), fault::Code::file_not_found);
  EXPECT_EQ(fault::system_error(EIO, "reading", "f").code(), fault::Code::media_gone);
  EXPECT_NE(std::string(fault::system_error(EACCES, "opening", "f").what()).find("EACCES"), std::string::npos);
}
