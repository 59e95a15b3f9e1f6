// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/canon/members.hpp"

namespace stella::canon {
namespace {

TEST(Members, ReadAsEmptyWhatIsMissingOrOfAnotherType) {
  const Json object = {{"text", "a"}, {"number", 7}, {"real", 1.5}, {"none", nullptr}};
  EXPECT_EQ(text_in(object, "text"), "a");
  for (const char* name : {"number", "none", "missing"}) EXPECT_EQ(text_in(object, name), "") << name;
  EXPECT_EQ(integer_in(object, "number"), 7);
  for (const char* name : {"text", "real", "none", "missing"}) EXPECT_EQ(integer_in(object, name), 0) << name;
  EXPECT_EQ(text_in(Json::array(), "text"), "");
  EXPECT_EQ(integer_in(Json(), "number"), 0);
}

TEST(Members, ShowAnythingAndLetNoneSteerTheTerminal) {
  const Json object = {
      {"text", "a\x1b[2J"}, {"number", 7}, {"list", {"b", "c\n"}}, {"none", nullptr}, {"long", std::string(400, 'x')}};
  EXPECT_EQ(shown_in(object, "text"), "a\\x1b[2J");
  EXPECT_EQ(shown_in(object, "number"), "7");
  EXPECT_EQ(shown_in(object, "list"), R"(["b","c\n"])");
  EXPECT_EQ(shown_in(object, "none"), "");
  EXPECT_EQ(shown_in(object, "missing"), "");
  EXPECT_EQ(shown_in(object, "long", 3), "xxx… (397 more bytes)");
  EXPECT_EQ(all_shown_in(object, "list"), (std::vector<std::string>{"b", "c\\n"}));
  EXPECT_TRUE(all_shown_in(object, "text").empty());
  EXPECT_TRUE(all_shown_in(object, "missing").empty());
}

}  // namespace
}  // namespace stella::canon
