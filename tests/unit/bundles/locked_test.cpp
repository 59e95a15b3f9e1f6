// SPDX-License-Identifier: Apache-2.0
#include "bundles/locked/bytes.hpp"

#include <gtest/gtest.h>

using stella::locked::Bytes;

TEST(LockedBytes, MoveLeavesNothingBehind) {
  Bytes a = Bytes::copy_of(std::string_view("secret"));
  Bytes b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(b.view(), "secret");
}

TEST(LockedBytes, ShrinkWipesWhatFallsAway) {
  Bytes a = Bytes::copy_of(std::string_view("secret\n"));
  a.shrink(6);
  EXPECT_EQ(a.view(), "secret");
  EXPECT_EQ(a.data()[6], 0);
}

TEST(LockedBytes, EqualComparesContentAndSize) {
  const Bytes a = Bytes::copy_of(std::string_view("same")), b = Bytes::copy_of(std::string_view("same"));
  EXPECT_TRUE(stella::locked::equal(a.span(), b.span()));
  EXPECT_FALSE(stella::locked::equal(a.span(), Bytes::copy_of(std::string_view("other")).span()));
  EXPECT_TRUE(stella::locked::equal(Bytes().span(), Bytes().span()));
}
