// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/canon/json_places.hpp"

namespace stella::canon {
namespace {

std::string at(std::string_view text, const std::string& pointer) {
  const auto found = find_places(text, {pointer});
  if (!found.contains(pointer)) return "nowhere";
  const Places& one = found.at(pointer);
  return std::to_string(one.name.line) + ":" + std::to_string(one.name.column) + " " + std::to_string(one.value.line) +
         ":" + std::to_string(one.value.column);
}

constexpr std::string_view kText =
    "{\n  \"a\": [1, [\"}]\\\"\", {}],\n  \"x\"],\n \"\\u0062/~\" : {\"\xC3\xA4\": null , \"\":true},\"ab\":-1.5e3 }";

TEST(JsonPlaces, AreThoseOfValuesAndNames) {
  EXPECT_EQ(at(kText, ""), "1:1 1:1");
  EXPECT_EQ(at(kText, "/a"), "2:3 2:8");
  EXPECT_EQ(at(kText, "/a/0"), "2:9 2:9");
  EXPECT_EQ(at(kText, "/a/1/1"), "2:21 2:21");
  EXPECT_EQ(at(kText, "/a/2"), "3:3 3:3");
  EXPECT_EQ(at(kText, "/b~1~0"), "4:2 4:15");
  EXPECT_EQ(at(kText, "/b~1~0/\xC3\xA4"), "4:16 4:21");
  EXPECT_EQ(at(kText, "/b~1~0/"), "4:28 4:31");
  EXPECT_EQ(at(kText, "/ab"), "4:37 4:42");
  EXPECT_EQ(at(kText, "/a/3"), "nowhere");
  EXPECT_EQ(at(kText, "/b"), "nowhere");
}

TEST(JsonPlaces, AreFoundTogether) {
  const auto found = find_places(kText, {"/a/1/0", "/ab", "/none", ""});
  EXPECT_EQ(found.size(), 3U);
}

}  // namespace
}  // namespace stella::canon
