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
                      Case{"!a.b", nullptr}, Case{"a.list[99999999999999999999]", nullptr},
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
    ::testing::Values(
        Bad{"a = b", kSyntax, "==", "3"}, Bad{"", kSyntax, "too early", "1"}, Bad{"a.", kSyntax, "too early", "3"},
        Bad{"a b", kSyntax, "`b`", "3"}, Bad{"(a", kSyntax, "too early", "3"}, Bad{"a)", kSyntax, "`)`", "2"},
        Bad{"my-step", kSyntax, "double quotes", "3"}, Bad{"n == 3", kSyntax, "backticks", "6"},
        Bad{"'abc", kSyntax, "does not end", "1"}, Bad{"`{`", kSyntax, "not JSON", "1"},
        Bad{"`text`", kSyntax, "single quotes", "1"}, Bad{"`{\"a\":1,\"a\":2}`", kSyntax, "twice", "1"},
        Bad{"\"a", kSyntax, "does not end", "1"}, Bad{"a.'b'", kSyntax, "a string", "3"},
        Bad{"a # b", kSyntax, "`#`", "3"}, Bad{"$.a", kSyntax, "`$`", "1"}, Bad{"&a", kSyntax, "argument", "1"},
        Bad{"[&a]", kSyntax, "argument", "2"}, Bad{"(s)(a)", kSyntax, "function's name", "4"},
        Bad{"\"length\"(a)", kSyntax, "quotes", "1"}, Bad{"length(a,)", kSyntax, "`)`", "10"},
        Bad{"contains(a b)", kSyntax, "`b`", "12"}, Bad{"{a: b c: d}", kSyntax, "`c`", "7"},
        Bad{"a[0:1 2]", kSyntax, "backticks", "7"}, Bad{"a[::1:]", kSyntax, "`:`", "6"},
        Bad{"a[b]", kSyntax, "`b`", "3"}, Bad{"[]a", kSyntax, "`a`", "3"}, Bad{"a *", kSyntax, "`*`", "3"},
        Bad{"'\xff'", kSyntax, "UTF-8", "1"}, Bad{"lenght(a)", "expression-function", "did you mean length()", "1"},
        Bad{"a.keys(b, c)", "expression-function", "takes 1 argument, here are 2", "3"},
        Bad{"a[*].merge()", "expression-function", "at least 1 argument, here are 0", "6"},
        Bad{"nothing(a) ||", kSyntax, "too early", "14"}));

struct Wrong {
  const char* text;
  const char* reason;
  const char* says;
};
class Stops : public ::testing::TestWithParam<Wrong> {};
TEST_P(Stops, SayingWhichCallAndWhy) {
  try {
    (void)run(GetParam().text);
    FAIL() << GetParam().text;
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.reason(), GetParam().reason);
    EXPECT_NE(std::string(error.what()).find(GetParam().says), std::string::npos) << error.what();
    EXPECT_EQ(error.at().rfind("test, column ", 0), 0U) << error.at();
  }
}
constexpr const char* kType = "expression-type";
INSTANTIATE_TEST_SUITE_P(
    Language, Stops,
    ::testing::Values(Wrong{"abs(s)", kType, "argument 1 is a string, it takes a number"},
                      Wrong{"join(', ', a.list)", kType, "an array that begins with a number"},
                      Wrong{"sort_by(a.list, s)", kType, "argument 2 is a string, it takes an expression with `&`"},
                      Wrong{"length(&s)", kType, "argument 1 is an expression with `&`"},
                      Wrong{"sort_by(`[{\"k\":1},{\"k\":\"x\"}]`, &k)", kType, "key of element 1 is a string"},
                      Wrong{"max_by(a.list, &x)", kType, "key of element 0 is null"},
                      Wrong{"merge(a, n)", kType, "argument 2 is a number, it takes an object"},
                      Wrong{"`[1]`[::0]", "expression-value", "step cannot be 0"},
                      Wrong{"sum(`[1e308, 1e308]`)", "expression-value", "too large"}));

TEST(Budgets, RefuseDeepAndLongExpressions) {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '(') + "a" +
           std::string(static_cast<std::size_t>(levels), ')');
  };
  EXPECT_THROW((void)Expression::parse(nested(51), "t"), fault::Error);
  EXPECT_NO_THROW((void)Expression::parse(nested(50), "t"));
  const auto repeated = [](const std::string& part, int times) {
    std::string text = "a";
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  EXPECT_THROW((void)Expression::parse(repeated(".a", 1001), "t"), fault::Error);
  EXPECT_NO_THROW((void)run(repeated("[*].a", 240)));
  EXPECT_THROW((void)Expression::parse(repeated("[*].a", 260), "t"), fault::Error);
  EXPECT_THROW((void)Expression::parse(std::string(5000, ' '), "t"), fault::Error);
}

// Each would take minutes or gigabytes if nobody counted.
TEST(Budgets, RefuseHostileEvaluations) {
  std::string doubling = "[n,n]", deep = "[n]", sorting = "[sort_by(a.list[:2], &@)";
  for (int i = 0; i < 40; ++i) doubling += " | [@,@]";
  for (int i = 0; i < 70; ++i) deep += " | [@]";
  for (int i = 0; i < 40; ++i) sorting += " | [@[],@[]][]";
  sorting += "]";
  std::string texts = "to_string([s,s])";
  for (int i = 0; i < 40; ++i) texts += " | join(@, [@,@,@,@])";
  std::string nested = "@";
  for (int i = 0; i < 12; ++i) nested = "map(&" + nested + ", `[1,1,1,1,1,1,1,1,1,1]`)";
  for (const std::string& text : {doubling, deep, sorting, texts, nested}) {
    try {
      (void)run(text);
      FAIL() << text;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.reason(), "expression-budget") << text;
    }
  }
}

TEST(Budgets, LeaveRoomForTenThousandElements) {
  Json list = Json::array();
  for (int i = 0; i < 10000; ++i)
    list.push_back(
        {{"name", "controller-" + std::to_string(i)}, {"site", i % 2 == 0 ? "north" : "south"}, {"load", i % 97}});
  const Json context = {{"items", list}};
  const auto size = [&](const char* text) { return Expression::parse(text, "t").evaluate(context).size(); };
  EXPECT_EQ(size("items[?site == 'north' && load > `10`].{name: name, load: load} | [:100]"), 100U);
  EXPECT_EQ(size("sort_by(items, &load)[-5:].name"), 5U);
  EXPECT_EQ(size("items[?starts_with(join('/', [site, name]), 'north/')]"), 5000U);
}

using List = std::vector<std::vector<std::string>>;
struct Read {
  const char* text;
  List names;
  bool everything = false;
};
class Names : public ::testing::TestWithParam<Read> {};
TEST_P(Names, AreThePathsOfTheContextThatAreRead) {
  const auto parsed = Expression::parse(GetParam().text, "t");
  EXPECT_EQ(parsed.names(), GetParam().names) << GetParam().text;
  EXPECT_EQ(parsed.reads_everything(), GetParam().everything) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(
    Language, Names,
    ::testing::Values(Read{"inputs.cell == 'x' && !(steps.\"my-step\".outputs.ok)",
                           {{"inputs", "cell"}, {"steps", "my-step", "outputs", "ok"}}},
                      Read{"inputs.list[0].x.y", {{"inputs", "list"}}}, Read{"`1`", {}}, Read{"{a: 'x'}", {}},
                      Read{"(inputs.a || inputs.b).c", {{"inputs", "a"}, {"inputs", "b"}}},
                      Read{"inputs | cell | [0]", {{"inputs", "cell"}}}, Read{"@.inputs.cell", {{"inputs", "cell"}}},
                      Read{"inputs.list[?site == name].[cell, @]", {{"inputs", "list"}}},
                      Read{"inputs.list[*].x | [?steps]", {{"inputs", "list"}}},
                      Read{"inputs.list[1:].x[].y", {{"inputs", "list"}}}, Read{"steps.*.state", {{"steps"}}},
                      Read{"inputs.{a: x, b: y}", {{"inputs"}, {"inputs", "x"}, {"inputs", "y"}}},
                      Read{"{a: inputs.x, b: run.id}.a", {{"inputs", "x"}, {"run", "id"}}},
                      Read{"[inputs.x, run.id][0]", {{"inputs", "x"}, {"run", "id"}}},
                      Read{"sort_by(inputs.list, &name)[0].steps", {{"inputs", "list"}}},
                      Read{"inputs.cell.length(@)", {{"inputs", "cell"}}},
                      Read{"inputs.starts_with(a, b)", {{"inputs", "a"}, {"inputs", "b"}}},
                      Read{"inputs.a && inputs.a", {{"inputs", "a"}}}, Read{"@", {}, true}, Read{"*.x", {}, true},
                      Read{"keys(@)", {}, true}, Read{"inputs.a || @", {{"inputs", "a"}}, true},
                      Read{"[@][0].inputs", {}, true}, Read{"!inputs.cell", {{"inputs"}}}));

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
  EXPECT_EQ(fill("${{ {a: {b: n}}}}"), (Json{{"a", {{"b", 3}}}}));
  EXPECT_EQ(fill("${{ {a: {b: n}}.a.b }}}"), "3}");
  EXPECT_EQ(fill("${{ a.list[:2] }}"), (Json{1, 2}));
  EXPECT_EQ(fill("plain $ {{ text }}"), "plain $ {{ text }}");
  EXPECT_FALSE(Template::parse("plain", "t").has_holes());
  EXPECT_TRUE(Template::parse("x${{ n }}", "t").has_holes());
}

TEST(Templates, SayWhatTheyRead) {
  EXPECT_EQ(Template::parse("${{ n }}-${{ a.b.c }}", "t").names(), (List{{"n"}, {"a", "b", "c"}}));
  EXPECT_FALSE(Template::parse("${{ n }}", "t").reads_everything());
  EXPECT_TRUE(Template::parse("${{ n }}${{ keys(@) }}", "t").reads_everything());
}

TEST(Templates, AreBoundOnceFilled) {
  std::string text = "x";
  for (int i = 0; i < 100; ++i) text += "${{ big }}";
  const Json big = {{"big", std::string(100000, 'y')}};
  EXPECT_THROW((void)Template::parse(text, "t").evaluate(big), fault::Error);
}

TEST(Templates, RefuseAHoleWithoutEnd) {
  EXPECT_THROW((void)Template::parse("a ${{ n ", "t"), fault::Error);
  EXPECT_THROW((void)Template::parse("${{ {a: n }}", "t"), fault::Error);
  EXPECT_THROW((void)Template::parse("${{ }}", "t"), fault::Error);
}

}  // namespace
}  // namespace stella::expression
