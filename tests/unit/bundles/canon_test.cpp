// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/json.hpp"

using namespace stella;
using canon::Json;
using fault::Code;

namespace {
std::string round(std::string_view text) {
  return canon::canonical(canon::parse_json(text, Code::usage, "t"));
}
std::string place(std::string_view text) {
  try {
    (void)canon::parse_json(text, Code::usage, "t.json");
  } catch (const fault::Error& error) {
    return error.at();
  }
  return "accepted";
}
}  // namespace

TEST(StrictJson, TakesSoManyValuesAndNoMore) {
  EXPECT_NO_THROW((void)canon::parse_json("[1,[2],{\"a\":3}]", Code::usage, "t", 100, 6));
  EXPECT_THROW((void)canon::parse_json("[1,[2],{\"a\":3}]", Code::usage, "t", 100, 5), fault::Error);
  std::string many = "[";
  for (int i = 0; i < 200000; ++i) many += "1,";
  EXPECT_EQ(place(many + "1]"), "t.json:1:400001");
}

TEST(StrictJson, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const std::string& text :
       {std::string("{\"a\":1,\"a\":2}"), std::string("{\"a\":{\"b\":1,\"b\":1}}"), std::string("[1] x"),
        std::string("NaN"), std::string("[1e999]"), std::string("9007199254740993"),
        std::string("123456789012345678901234567890"), std::string("\"\xff\""), std::string("\"\\ud800\""),
        std::string("\xEF\xBB\xBF{}"), std::string("{'a':1}"), std::string("[1,]"), std::string("01"), std::string(""),
        std::string("\"a\nb\""), std::string("[1]\0", 4), std::string(65, '[') + std::string(65, ']')}) {
    EXPECT_THROW((void)canon::parse_json(text, Code::usage, "t"), fault::Error) << text;
  }
  EXPECT_NO_THROW((void)canon::parse_json(std::string(64, '[') + std::string(64, ']'), Code::usage, "t"));
}

TEST(StrictJson, SaysLineAndColumn) {
  EXPECT_EQ(place("{\n \"a\": 1,\n \"a\": 2}"), "t.json:3:4");
  EXPECT_EQ(place("[1,\n2,]"), "t.json:2:3");
}

// Vectors: RFC 8785 sections 3.2.2 to 3.2.3 and appendix B.
TEST(Canonical, FollowsRfc8785) {
  EXPECT_EQ(
      round(
          R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"literals":[null,true,false]})"),
      R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]})");
  EXPECT_EQ(
      round("{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}"),
      "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
  EXPECT_EQ(round("\"\\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""), "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
  EXPECT_EQ(
      round("[-0.0, 5e-324, 1.7976931348623157e308, 9007199254740992, 1e21, 123456789012345680000.0, 1e-6, 1e-7]"),
      "[0,5e-324,1.7976931348623157e+308,9007199254740992,1e+21,123456789012345680000,0.000001,1e-7]");
}

TEST(Fields, NamesAnUnknownMemberWithItsNearestSpelling) {
  const Json object = canon::parse_json(R"({"comand":"x"})", Code::usage, "t");
  canon::Fields fields(object, Code::usage, "schema", "$");
  EXPECT_EQ(fields.maybe("command"), nullptr);
  try {
    fields.finish();
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_STREQ(error.what(), "unknown field `comand`, did you mean `command`?");
  }
}

TEST(Fields, RefusesAnotherTypeAndAnotherRange) {
  const Json object = canon::parse_json(R"({"n":5,"s":"x","f":1.0,"big":9})", Code::usage, "t");
  canon::Fields fields(object, Code::usage, "schema", "$");
  EXPECT_EQ(fields.integer("n", 0, 5), 5);
  EXPECT_THROW((void)fields.text("n"), fault::Error);
  EXPECT_THROW((void)fields.integer("f", 0, 5), fault::Error);
  EXPECT_THROW((void)fields.integer("big", 0, 8), fault::Error);
  EXPECT_THROW((void)fields.boolean("s"), fault::Error);
  EXPECT_THROW((void)fields.text("missing"), fault::Error);
}

TEST(Printable, LetsNoTextSteerTheTerminalOrHideItself) {
  EXPECT_EQ(canon::printable("a\x1b[31mb\n"), "a\\x1b[31mb\\n");
  EXPECT_EQ(canon::printable("x\xe2\x80\xaey"), "x\\u{202e}y");
  EXPECT_EQ(canon::printable("\xff\xc3\xb6"), "\\xff\xc3\xb6");
  EXPECT_EQ(canon::printable("abcdef", 3), "abc… (3 more bytes)");
}

TEST(Base64, TakesOnlyTheOneCanonicalSpelling) {
  EXPECT_EQ(canon::from_base64("aGk=", Code::usage, "t"), "hi");
  EXPECT_EQ(canon::from_base64("", Code::usage, "t"), "");
  for (const char* text : {"aGk", "aGl=", "aG k=", "aGk=\n", "a-k=", "=aGk", "aGk=aGk="}) {
    EXPECT_THROW((void)canon::from_base64(text, Code::usage, "t"), fault::Error) << text;
  }
}

TEST(Digest, ParsesOnlyLowerCaseTaggedHex) {
  const auto digest = canon::sha256(std::string_view("abc"));
  EXPECT_EQ(digest.tagged(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(canon::parse_digest(digest.tagged(), Code::usage, "t"), digest);
  for (const std::string& text : {digest.hex(), std::string("sha256:AB"), "sha512:" + digest.hex(),
                                  std::string("sha256:") + std::string(64, 'G')}) {
    EXPECT_THROW((void)canon::parse_digest(text, Code::usage, "t"), fault::Error) << text;
  }
}

// Vectors: the certificate-transparency reference tree of RFC 6962's test data (0, 1, 2, 3 leaves).
TEST(Merkle, MatchesRfc6962) {
  EXPECT_EQ(canon::merkle_root({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const canon::Digest first = canon::merkle_leaf("");
  EXPECT_EQ(first.hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const std::array two{first, canon::merkle_leaf(std::string_view("\0", 1))};
  EXPECT_EQ(canon::merkle_root(two).hex(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  const std::array three{two[0], two[1], canon::merkle_leaf("\x10")};
  EXPECT_EQ(canon::merkle_root(three).hex(), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
}
