// SPDX-License-Identifier: Apache-2.0
#include "bundles/yaml/document.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace stella::yaml {
namespace {

Document read(std::string_view text) {
  return parse(text, "pack.yaml", fault::Code::pack_invalid);
}

// `line:column: message` of the refusal, or `accepted`.
std::string refusal(std::string_view text) {
  try {
    const Document document = read(text);
    return "accepted " + canon::canonical(document.value);
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_invalid);
    EXPECT_EQ(error.reason(), "yaml");
    EXPECT_TRUE(error.at().starts_with("pack.yaml:")) << error.at();
    return error.at().substr(10) + ": " + error.what();
  }
}

TEST(Yaml, ReadsNestedBlockAndFlow) {
  const Document document =
      read("a: {b: [1, 2.5, x]}\nlist:\n  - name: one\n    on: true\n  - ~\ntext: |\n  hello\n  you\n");
  EXPECT_EQ(canon::canonical(document.value),
            R"({"a":{"b":[1,2.5,"x"]},"list":[{"name":"one","on":true},null],"text":"hello\nyou\n"})");
}

TEST(Yaml, KeepsTextThatOnlyLooksLikeAValue) {
  const Document document =
      read("[no, yes, on, off, 012, 0x1f, 0o7, 12:30, 1.4.0, +1, .5, 1_000, '1', \"true\", 2026-11-01, .inf, 1e]");
  for (const canon::Json& item : document.value) EXPECT_TRUE(item.is_string()) << item;
}

TEST(Yaml, ReadsJsonNumbersBooleansAndNull) {
  EXPECT_EQ(canon::canonical(read("[0, -1, 10, 1.5, -0.25, 2e3, true, FALSE, null, ~, ]").value),
            "[0,-1,10,1.5,-0.25,2000,true,false,null,null]");
  EXPECT_EQ(read("9007199254740992").value, 9007199254740992);
}

TEST(Yaml, MarksValuesAndKeysByJsonPointer) {
  const Document document = read("top:\n  - id: check\n    run:\n      a/b~c: [x]\n");
  EXPECT_EQ(document.at("/top/0/id"), "pack.yaml:2:9");
  EXPECT_EQ(document.at_key("/top/0/id"), "pack.yaml:2:5");
  EXPECT_EQ(document.at("/top/0/run" + pointer_step("a/b~c") + "/0"), "pack.yaml:4:15");
  EXPECT_EQ(document.at("/top/0/missing/deep"), "pack.yaml:2:5") << "the nearest parent";
  EXPECT_EQ(document.at_key("/nothing"), "pack.yaml:1:1");
}

TEST(Yaml, CountsColumnsInCharacters) {
  EXPECT_EQ(read("{\"é\": 1, b: 2}").at("/b"), "pack.yaml:1:13");
}

TEST(Yaml, RefusesWhatIsNotPlainData) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"a: 1\nb: 2\na: 3\n", "3:1: `a` stands here a second time; first in line 1"},
      {"a: {x: 1, x: 2}\n", "1:11: `x` stands here a second time"},
      {"a: &x 1\nb: 2\n", "1:4: anchors"},
      {"a: *x\n", "1:4: aliases"},
      {"a: 1\nb: !!str 2\n", "2:4: tags"},
      {"!foo {a: 1}\n", "1:1: tags"},
      {"a: 1\n<<: {b: 2}\n", "2:1: merge keys"},
      {"a: 1\n---\nb: 2\n", "2:1: a second document"},
      {"%YAML 1.1\n---\na: 1\n", "1:1: a `%` directive"},
      {"%TAG ! tag:x,2000:\n---\na: 1\n", ": a `%` directive"},
      {"? [a, b]\n: 1\n", "a member name must be text"},
      {": 1\n", "a member name is missing"},
      {"&k a: 1\n", "1:1: anchors"},
      {"*k : 1\n", "1:1: aliases"},
      {"a: 9007199254740993\n", "1:4: this integer is beyond 2^53"},
      {"a: 1e999\n", "1:4: this number does not fit"},
      {"a: b: c\n", "this is not YAML"},
      {"a: [1, 2\n", "this is not YAML"},
      {"a: \"x\n", "this is not YAML"},
      {"\ta: 1\n", "this is not YAML"},
      {"a: 1\n b: 2\n", "this is not YAML"},
      {"", "1:1: the file is empty"},
      {"# only a comment\n", "the file holds no value"},
      {"a: \"\\0\"\n", "1:4: an escape in this text"},
      {std::string("a: b\0c", 6), "1:5: a control character"},
      {"a: 1\nb: \xff\n", "2:4: this is not UTF-8"},
      {"a: 1\rb: 2\n", "1:5: a carriage return"},
      {"a: \xc0\x80\n", "1:4: this is not UTF-8"},
      {"a: \xed\xa0\x80\n", "1:4: this is not UTF-8"},
      {"\xef\xbb\xbf"
       "a: 1\n",
       "1:1: a byte-order mark"},
  };
  for (const auto& [text, want] : table) {
    EXPECT_NE(refusal(text).find(want), std::string::npos)
        << text << "\n  gave " << refusal(text) << "\n  want " << want;
  }
}

TEST(Yaml, TakesWindowsLineEnds) {
  EXPECT_EQ(canon::canonical(read("a: 1\r\nb: \"x\\r\"\r\n").value), R"({"a":1,"b":"x\r"})");
}

TEST(Yaml, TakesOneExplicitDocument) {
  EXPECT_EQ(canon::canonical(read("---\na: 1\n...\n").value), R"({"a":1})");
}

TEST(Yaml, RefusesTooMuchOfAnything) {
  std::string deep(10000, '[');
  EXPECT_NE(refusal(deep).find("64 levels"), std::string::npos) << refusal(deep);
  std::string wide;
  for (int i = 0; i < 120000; ++i) wide += "- 1\n";
  EXPECT_NE(refusal(wide).find("120000:3: the file has more than 120,000 values"), std::string::npos) << refusal(wide);
  std::string names;
  for (int i = 0; i <= 90000; ++i) names += "k" + std::to_string(i) + ":\n";
  EXPECT_NE(refusal(names).find("90001:1: the file has more than 90,000 member names"), std::string::npos)
      << refusal(names);
  EXPECT_NE(refusal(std::string((1U << 20) + 1, ' ')).find("1 MiB"), std::string::npos);
  EXPECT_NE(refusal("? " + std::string(1100, 'n') + "\n: 1\n").find("1,024 bytes"), std::string::npos);
}

TEST(Yaml, RefusesWhatWouldCostTheLibraryTooMuch) {
  EXPECT_NE(refusal("a: |\n" + std::string(500000, '\n')).find("202:1: more than 200 empty lines"), std::string::npos);
  std::string spaces = "a: |\n";
  for (int i = 0; i < 201; ++i) spaces += "  \n";
  EXPECT_NE(refusal(spaces + "  x\n").find("empty lines"), std::string::npos);
  EXPECT_NE(refusal(std::string(1U << 20, '[')).find("100,000 brackets"), std::string::npos);
  EXPECT_NE(refusal("a: 1\n%a\n").find("2:1: a `%` directive"), std::string::npos);
}

TEST(Yaml, LongNamesDoNotMultiply) {
  std::string text, indent;
  for (int i = 0; i < 60; ++i) {
    text += indent + std::string(1000, 'n') + ":\n";
    indent += " ";
  }
  for (int i = 0; i < 10000; ++i) text += indent + fmt::format("k{}: 1\n", i);
  EXPECT_NE(refusal(text).find("too long for so many"), std::string::npos) << refusal(text).substr(0, 200);
}

TEST(Yaml, RefusesABombAtItsFirstAnchorAndFast) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'z'; ++c) {
    bomb += fmt::format("{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n", c,
                        static_cast<char>(c - 1));
  }
  const auto before = std::chrono::steady_clock::now();
  EXPECT_NE(refusal(bomb).find("1:4: anchors"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST(Yaml, ChoosesTheReaderByTheName) {
  const Document json = parse_by_name(R"({"a":[1]})", "inputs.json", fault::Code::pack_inputs);
  EXPECT_EQ(json.at("/a/0"), "inputs.json:1:7");
  EXPECT_EQ(parse_by_name("a: [1]", "inputs.yml", fault::Code::pack_inputs).value, json.value);
  EXPECT_THROW((void)parse_by_name("a: 1", "inputs.json", fault::Code::pack_inputs), fault::Error);
}

}  // namespace
}  // namespace stella::yaml
