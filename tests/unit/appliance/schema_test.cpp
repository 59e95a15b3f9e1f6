// SPDX-License-Identifier: Apache-2.0
#include "appliance/schema/schema.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>

#include "appliance/schema/pattern.hpp"

namespace stella::schema {
namespace {

Schema made(const std::string& text, Unknown unknown = Unknown::refused) {
  return Schema::parse(text, {.name = "s.json", .base = "", .unknown = unknown});
}

canon::Json json(const std::string& text) {
  return canon::parse_json(text, fault::Code::internal, "t");
}

// What compiling and checking is refused with, as `at: what`; fails when it is not refused.
std::string refusal(const std::string& schema, const std::string& value = "1", Unknown unknown = Unknown::refused) {
  try {
    (void)made(schema, unknown).check(json(value));
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid);
    return error.at() + ": " + error.what();
  }
  ADD_FAILURE() << "not refused: " << schema.substr(0, 200);
  return "";
}

struct SchemaCase {
  const char* schema;
  const char* value;
  std::size_t violations;
};
class SchemaKeywords : public ::testing::TestWithParam<SchemaCase> {};
TEST_P(SchemaKeywords, Checks) {
  const auto value = canon::parse_json(GetParam().value, fault::Code::internal, "t");
  EXPECT_EQ(made(GetParam().schema).check(value).violations.size(), GetParam().violations)
      << GetParam().schema << " on " << GetParam().value;
}
INSTANTIATE_TEST_SUITE_P(
    Each, SchemaKeywords,
    ::testing::Values(
        SchemaCase{R"({"type":"integer"})", "3.0", 0}, SchemaCase{R"({"type":"integer"})", "3.5", 1},
        SchemaCase{R"({"type":["string","null"]})", "null", 0}, SchemaCase{R"({"type":"number"})", "true", 1},
        SchemaCase{R"({"enum":[1,"a"]})", "1.0", 0}, SchemaCase{R"({"enum":[1,"a"]})", "true", 1},
        SchemaCase{R"({"const":null})", "null", 0}, SchemaCase{R"({"const":null})", "0", 1},
        SchemaCase{R"({"pattern":"b+"})", "\"abba\"", 0}, SchemaCase{R"({"pattern":"^b"})", "\"ab\"", 1},
        SchemaCase{R"({"pattern":"^b"})", "5", 0}, SchemaCase{R"({"minimum":3,"maximum":4})", "3", 0},
        SchemaCase{R"({"minimum":3,"maximum":4})", "4.01", 1}, SchemaCase{R"({"maxLength":2})", "\"\u00e4\u00f6\"", 0},
        SchemaCase{R"({"minLength":2})", "\"\u00e4\"", 1}, SchemaCase{R"({"minItems":1,"maxItems":2})", "[]", 1},
        SchemaCase{R"({"required":["a","b"]})", "{\"a\":1}", 1}, SchemaCase{R"({"required":["a"]})", "[]", 0},
        SchemaCase{R"({"properties":{"a":{"type":"string"}},"additionalProperties":false})", R"({"a":1,"b":2})", 2},
        SchemaCase{R"({"additionalProperties":{"type":"string"}})", R"({"a":1,"b":"x"})", 1},
        SchemaCase{R"({"items":{"minimum":2}})", "[1,2,1]", 2}, SchemaCase{"true", "1", 0}, SchemaCase{"false", "1", 1},
        SchemaCase{R"({"items":false})", "[]", 0},
        SchemaCase{R"({"title":"x","default":9,"type":"string"})", "\"\"", 0},
        SchemaCase{R"({"oneOf":[{"minimum":3},{"maximum":5}]})", "4", 1},
        SchemaCase{R"({"anyOf":[{"minimum":9},{"type":"string"}]})", "4", 1},
        SchemaCase{R"({"not":{"const":1}})", "1", 1}, SchemaCase{R"({"multipleOf":0.01})", "19.99", 0},
        SchemaCase{R"({"multipleOf":0.01})", "19.999", 1}, SchemaCase{R"({"uniqueItems":true})", "[1,{},1.0]", 1},
        SchemaCase{R"({"unevaluatedProperties":false,"allOf":[{"properties":{"a":{"type":"string"}}}]})",
                   R"({"a":1,"b":2})", 2},
        SchemaCase{R"({"propertyNames":{"maxLength":1}})", R"({"aa":1,"b":2,"cc":3})", 2}));

TEST(Schema, RefusesOtherKeywordsByName) {
  EXPECT_EQ(refusal(R"({"properties":{"a":{"patern":"x"}}})").substr(0, 31), "s.json#/properties/a/patern: no");
  EXPECT_NE(refusal(R"({"patern":"x"})").find("did you mean `pattern`"), std::string::npos);
  EXPECT_TRUE(made(R"({"patern":"x","x-note":1})", Unknown::ignored).check(1).valid);
  EXPECT_TRUE(made(R"({"x-note":1})").check(1).valid);
}

TEST(Schema, RefusesWhatIsNoSchemaAtItsPlace) {
  for (const char* schema :
       {R"({"oneOf":[]})", R"({"type":"text"})", R"({"minLength":-1})", "[]", "{", R"({"required":["a","a"]})",
        R"({"properties":[]})", R"({"items":[{}]})", R"({"multipleOf":0})", R"({"$id":"a#b"})", R"({"$anchor":"1"})",
        R"({"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}})",
        R"({"$schema":"http://json-schema.org/draft-07/schema#"})", R"({"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}})",
        R"({"not":5})", R"({"format":5})", R"({"$ref":5})"})
    (void)refusal(schema);
}

TEST(Schema, SaysWhatAReferenceMissesAndFetchesNothing) {
  EXPECT_NE(refusal(R"({"$ref":"https://example.org/a.json"})").find("not at hand, and nothing is ever fetched"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"$ref":"#/$defs/none"})").find("names nothing in this schema"), std::string::npos);
  EXPECT_NE(refusal(R"({"$ref":"#none"})").find("an anchor that is not there"), std::string::npos);
}

TEST(Schema, ListsEveryViolationWithItsPlaceAndItsReason) {
  const auto verdict = made(R"({"properties":{"a":{"type":"string"},"b/c":{"items":{"minimum":3}}},"required":["d"]})")
                           .check(json(R"({"a":1,"b/c":[1,5,2]})"));
  ASSERT_EQ(verdict.violations.size(), 4U);
  std::string all;
  for (const auto& one : verdict.violations)
    all += one.pointer + "|" + one.schema + "|" + one.wanted + "|" + one.what + "\n";
  EXPECT_NE(all.find("|s.json#/required|[\"d\"]|must have `d`\n"), std::string::npos) << all;
  EXPECT_NE(all.find("/a|s.json#/properties/a/type|\"string\"|must be of type string, not 1\n"), std::string::npos)
      << all;
  EXPECT_NE(all.find("/b~1c/2|s.json#/properties/b~1c/items/minimum|3|must be at least 3, not 2\n"), std::string::npos)
      << all;
}

TEST(Schema, NamesTheUnsupportedPartOfAPatternAndItsPlace) {
  const std::pair<const char*, const char*> cases[] = {{"(?=x)", "look-ahead `(?=` is not supported"},
                                                       {"ab(?!x)", "at character 3"},
                                                       {"(?<=x)", "look-behind `(?<=`"},
                                                       {"(?<!x)", "look-behind `(?<!`"},
                                                       {R"((a)\\1)", "the back-reference `\\1`"},
                                                       {R"((?<n>a)\\k<n>)", "the back-reference `\\k<`"},
                                                       {"(?i)a", "inline flags"},
                                                       {R"(\\A)", "not an escape of ECMA-262"},
                                                       {"a{1001}", "more than 1,000"},
                                                       {R"(\\p{Klingon=x})", "is not supported"},
                                                       {"[b-a]", "ends before it begins"},
                                                       {"(a", "missing"},
                                                       {"[a", "is not closed"},
                                                       {"((a{100}){100}){100}", "invalid repetition size"}};
  for (const auto& [pattern, wanted] : cases) {
    const std::string got = refusal(std::string(R"!({"pattern":")!") + pattern + "\"}");
    EXPECT_NE(got.find(wanted), std::string::npos) << pattern << " gave " << got;
    EXPECT_TRUE(got.starts_with("s.json#/pattern: ")) << got;
  }
}

TEST(Pattern, MeansWhatEcmaScriptMeans) {
  struct Case {
    const char *pattern, *text;
    bool matches;
  };
  for (const Case& one : {Case{"^a.c$", "a\u2028c", false}, Case{"^a$", "a\n", false}, Case{R"(^\s$)", "\u00a0", true},
                          Case{R"(^[\w-.]+$)", "a-b.c", true}, Case{R"(^[^\S]$)", " ", true}, Case{"^[]$", "", false},
                          Case{"^[^]$", "\n", true}, Case{"^[[:alpha:]]$", ":]", true}, Case{"^{a}$", "{a}", true},
                          Case{R"(^\u{1F409}$)", "\U0001F409", true}, Case{R"(^\uD83D\uDC09$)", "\U0001F409", true},
                          Case{R"(^\p{Lu}\P{Script=Greek}$)", "Aa", true}, Case{R"(^\cJ$)", "\n", true},
                          Case{R"([\b])", "\b", true}, Case{R"(^(?<year>\d{4})$)", "2026", true}})
    EXPECT_EQ(Pattern(one.pattern, 1 << 20).matches(one.text), one.matches) << one.pattern;
}

// Each hostile schema is refused within the time and memory of the promise, here with room for a busy machine.
TEST(Schema, RefusesHostileSchemasSoonAndCheaply) {
  std::string twice = R"({"$defs":{"a0":{"type":"string"})", wide = R"({"allOf":[)", many = R"({"patternProperties":{)",
              chain = R"({"$ref":"#/$defs/a0","$defs":{)";
  for (int i = 1; i < 40; ++i)
    twice += ",\"a" + std::to_string(i) + R"(":{"anyOf":[{"$ref":"#/$defs/a)" + std::to_string(i - 1) +
             R"("},{"$ref":"#/$defs/a)" + std::to_string(i - 1) + "\"}]}";
  twice += R"(},"$ref":"#/$defs/a39"})";
  for (int i = 0; i < 150000; ++i) wide += "true,";
  wide += "true]}";
  for (int i = 0; i < 3000; ++i) many += "\"^" + std::to_string(i) + "(\\\\p{L}{1,20})+$\":{},";
  many += "\"z\":{}}}";
  for (int i = 0; i < 9000; ++i)
    chain += "\"a" + std::to_string(i) + R"(":{"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
  chain += "\"a9000\":{}}}";
  const std::string cases[] = {
      R"({"$ref":"#"})",
      R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"})",
      twice,
      wide,
      many,
      chain,
      R"({"pattern":")" + std::string(100000, 'a') + "\"}",
      R"!({"pattern":"(((a|b){1,30}){1,30}){1,1}(\\p{L}{1000})"})!",
      R"({"allOf":[)" + std::string(300000, '[')};
  for (const std::string& one : cases) {
    const auto start = std::chrono::steady_clock::now();
    (void)refusal(one);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), 1500) << one.substr(0, 100);
  }
}

TEST(Schema, TakesALargeValueInItsStride) {
  canon::Json value = canon::Json::array();
  for (int i = 0; i < 20000; ++i) value.push_back({{"name", "cell-" + std::to_string(i)}, {"port", i % 60000}});
  const auto schema = made(R"({"uniqueItems":true,"items":{"type":"object","required":["name","port"],
    "properties":{"name":{"type":"string","pattern":"^[a-z]+-[0-9]+$"},"port":{"type":"integer","minimum":0}},
    "unevaluatedProperties":false}})");
  EXPECT_TRUE(schema.check(value).valid);
}

}  // namespace
}  // namespace stella::schema
