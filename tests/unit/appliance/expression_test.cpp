// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/expression.hpp"

#include <gtest/gtest.h>

namespace stella::expression {
namespace {

using canon::Json;

const Json& context() {
  static const Json value = {{"a", {{"b", {{"c", 5}}}, {"list", {1, 2, {{"x", "y"}}}}, {"empty", ""}}},
                             {"my-step", true},
                             {"n", 3},
                             {"no", false},
                             {"s", "text"},
                             {"", 1}};
  return value;
}

Json run(std::string_view text) {
  return Expression::parse(text, "test").evaluate(context());
}

struct Case {
  const char* text;
  Json expected;
};
class Evaluates : public ::testing::TestWithParam<Case> {};
TEST_P(Evaluates, ToTheExpectedValue) {
  EXPECT_EQ(run(GetParam().text), GetParam().expected) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(
    Language, Evaluates,
    ::testing::Values(Case{"a.b.c", 5}, Case{"a . b . c", 5}, Case{"a.zzz.c", nullptr}, Case{"\"my-step\"", true},
                      Case{"a.list[0]", 1}, Case{"a.list[-1].x", "y"}, Case{"a.list[9]", nullptr},
                      Case{"a.list[-4]", nullptr}, Case{"s[0]", nullptr}, Case{"[0]", nullptr}, Case{"n == `3`", true},
                      Case{"n == `3.0`", true}, Case{"n != `3`", false}, Case{"n < `4`", true}, Case{"n <= `3`", true},
                      Case{"n > `3`", false}, Case{"n >= `3.5`", false}, Case{"s < `3`", nullptr},
                      Case{"'a' < 'b'", nullptr}, Case{"no == `0`", false}, Case{"a.list[2] == `{\"x\": \"y\"}`", true},
                      Case{"zzz || s", "text"}, Case{"a.empty || n", 3}, Case{"n && s", "text"}, Case{"no && s", false},
                      Case{"zzz || no && s", false}, Case{"(zzz || n) && s", "text"}, Case{"!no", true},
                      Case{"!n", false}, Case{"!(a.empty)", true}, Case{"!`0`", false}, Case{"!a && no", false},
                      Case{"'it\\'s'", "it's"}, Case{"'a\\nb'", "a\\nb"}, Case{"`\"a\\`b\"`", "a`b"},
                      Case{"`[1, 2]`[1]", 2}, Case{"\"\\u0061\".b.c", 5}, Case{"(a.b).c", 5}, Case{"(zzz || a).b.c", 5},
                      Case{"n == `3` == `true`", true}, Case{"\"\"", 1}));

struct Bad {
  const char* text;
  const char* reason;
  const char* says;
  const char* column;
};
class Refuses : public ::testing::TestWithParam<Bad> {};
TEST_P(Refuses, ByNameWithItsColumn) {
  try {
    (void)Expression::parse(GetParam().text, "pack.yaml:3:5");
    FAIL() << GetParam().text;
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid);
    EXPECT_EQ(error.reason(), GetParam().reason);
    EXPECT_NE(std::string(error.what()).find(GetParam().says), std::string::npos) << error.what();
    EXPECT_EQ(error.at(), std::string("pack.yaml:3:5, column ") + GetParam().column + " of the expression");
  }
}
constexpr const char* kSyntax = "expression-syntax";
INSTANTIATE_TEST_SUITE_P(
    Language, Refuses,
    ::testing::Values(Bad{"length(a)", "expression-function", "length()", "1"},
                      Bad{"a.keys(b)", "expression-function", "keys()", "3"}, Bad{"a | b", kSyntax, "pipe", "3"},
                      Bad{"a[*]", kSyntax, "projection", "3"}, Bad{"*", kSyntax, "projection", "1"},
                      Bad{"a[]", kSyntax, "projection", "2"}, Bad{"a[0:1]", kSyntax, "slice", "4"},
                      Bad{"a[?b]", kSyntax, "filter", "3"}, Bad{"a.{b: c}", kSyntax, "multi-select", "3"},
                      Bad{"[a]", kSyntax, "multi-select", "1"}, Bad{"a.[b]", kSyntax, "multi-select", "3"},
                      Bad{"@", kSyntax, "current node", "1"}, Bad{"&a", kSyntax, "expression reference", "1"},
                      Bad{"a = b", kSyntax, "==", "3"}, Bad{"", kSyntax, "too early", "1"},
                      Bad{"a.", kSyntax, "too early", "3"}, Bad{"a b", kSyntax, "`b`", "3"},
                      Bad{"(a", kSyntax, "too early", "3"}, Bad{"a)", kSyntax, "`)`", "2"},
                      Bad{"my-step", kSyntax, "double quotes", "3"}, Bad{"n == 3", kSyntax, "backticks", "6"},
                      Bad{"'abc", kSyntax, "does not end", "1"}, Bad{"`{`", kSyntax, "not JSON", "1"},
                      Bad{"\"a", kSyntax, "does not end", "1"}, Bad{"!a.b", kSyntax, "!(a.b)", "3"},
                      Bad{"a[99999999999]", kSyntax, "too large", "3"}, Bad{"a.'b'", kSyntax, "a string", "3"},
                      Bad{"a # b", kSyntax, "`#`", "3"}));

TEST(Budgets, RefuseDeepAndLongExpressions) {
  EXPECT_THROW((void)Expression::parse(std::string(60, '(') + "a" + std::string(60, ')'), "t"), fault::Error);
  std::string chain = "a";
  for (int i = 0; i < 1001; ++i) chain += ".a";
  EXPECT_THROW((void)Expression::parse(chain, "t"), fault::Error);
  EXPECT_THROW((void)Expression::parse(std::string(5000, ' '), "t"), fault::Error);
  EXPECT_NO_THROW((void)Expression::parse(std::string(40, '(') + "a" + std::string(40, ')'), "t"));
}

TEST(Names, AreTheDottedRootsThatAreRead) {
  using List = std::vector<std::vector<std::string>>;
  EXPECT_EQ(Expression::parse("inputs.cell == 'x' && !(steps.\"my-step\".outputs.ok)", "t").names(),
            (List{{"inputs", "cell"}, {"steps", "my-step", "outputs", "ok"}}));
  EXPECT_EQ(Expression::parse("inputs.list[0].x.y", "t").names(), (List{{"inputs", "list"}}));
  EXPECT_EQ(Expression::parse("(inputs.a || inputs.b).c", "t").names(), (List{{"inputs", "a"}, {"inputs", "b"}}));
  EXPECT_EQ(Expression::parse("`1`", "t").names(), List{});
}

TEST(Truth, IsJmespaths) {
  for (const char* text : {"null", "false", "\"\"", "[]", "{}"})
    EXPECT_FALSE(is_true(canon::parse_json(text, fault::Code::internal, "t"))) << text;
  for (const char* text : {"0", "true", "\" \"", "[0]", "{\"a\":null}"})
    EXPECT_TRUE(is_true(canon::parse_json(text, fault::Code::internal, "t"))) << text;
}

TEST(Templates, KeepTheTypeOfALoneHoleAndJoinOthersAsText) {
  const auto fill = [](std::string_view text) { return Template::parse(text, "t").evaluate(context()); };
  EXPECT_EQ(fill("${{ n }}"), 3);
  EXPECT_EQ(fill("n is ${{ n }}, ${{ s }}, ${{ a.list }}, ${{ zzz }}."), "n is 3, text, [1,2,{\"x\":\"y\"}], .");
  EXPECT_EQ(fill("${{ '}}' }}!"), "}}!");
  EXPECT_EQ(fill("plain $ {{ text }}"), "plain $ {{ text }}");
  EXPECT_FALSE(Template::parse("plain", "t").has_holes());
  EXPECT_TRUE(Template::parse("x${{ n }}", "t").has_holes());
}

TEST(Templates, RefuseAHoleWithoutEnd) {
  EXPECT_THROW((void)Template::parse("a ${{ n ", "t"), fault::Error);
  EXPECT_THROW((void)Template::parse("${{ n | s }}", "t"), fault::Error);
  EXPECT_THROW((void)Template::parse("${{ }}", "t"), fault::Error);
}

}  // namespace
}  // namespace stella::expression
