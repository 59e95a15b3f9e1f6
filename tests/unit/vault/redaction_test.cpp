// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sodium.h>

#include <cctype>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vault/redaction/redactor.hpp"

namespace stella::redaction {
namespace {

struct Named {
  std::string name, value;
};

Patterns patterns_of(std::initializer_list<Named> named) {
  std::vector<locked::Bytes> bytes;
  std::vector<Value> values;
  bytes.reserve(named.size());
  for (const auto& one : named) {
    bytes.push_back(locked::Bytes::copy_of(one.value));
    values.push_back({one.name, &bytes.back()});
  }
  return Patterns(values);
}

std::string redacted(const Patterns& patterns, const std::vector<std::string>& writes) {
  std::string out;
  Redactor redactor(patterns, [&](std::string_view bytes) { out += bytes; });
  for (const auto& bytes : writes) redactor.write(bytes);
  redactor.finish();
  return out;
}

std::string encoded(const std::string& text, int variant) {
  std::string out(sodium_base64_encoded_len(text.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), variant);
  out.resize(out.find('\0') == std::string::npos ? out.size() : out.find('\0'));
  return out;
}

std::string hex(const std::string& text, bool upper) {
  std::string out(text.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  out.pop_back();
  if (upper)
    for (auto& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

const std::string kToken = "tok/\xfb\xff+secret-0123456789~end";

// Each form with something before it that is no part of it; the value itself may not be in what comes out.
std::vector<std::string> forms_of(const std::string& value) {
  std::vector<std::string> forms{value, hex(value, false), hex(value, true)};
  for (const auto* before : {"", "x", "yz", "abc"})
    for (const int variant : {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_URLSAFE_NO_PADDING})
      for (const auto* after : {"", "\n", "pq"}) forms.push_back(encoded(before + value + after, variant));
  return forms;
}

TEST(Redactor, FindsEveryFormAtEverySplit) {
  const auto patterns = patterns_of({{"token", kToken}});
  for (const auto& form : forms_of(kToken)) {
    const auto text = "before " + form + " after\n";
    const auto whole = redacted(patterns, {text});
    ASSERT_NE(whole.find("[redacted:token]"), std::string::npos) << form;
    ASSERT_EQ(whole.substr(0, 7), "before ");
    ASSERT_EQ(whole.substr(whole.size() - 7), " after\n");
    for (std::size_t split = 0; split <= text.size(); ++split)
      ASSERT_EQ(redacted(patterns, {text.substr(0, split), text.substr(split)}), whole) << form << " at " << split;
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    ASSERT_EQ(redacted(patterns, bytes), whole) << form;
  }
}

TEST(Redactor, LeavesNoCharacterOfBase64ThatHoldsBitsOfTheValue) {
  const auto patterns = patterns_of({{"token", kToken}});
  for (const auto* before : {"", "x", "yz"})
    for (const auto* after : {"", "p", "pq"}) {
      // What surrounds it stays, down to the last character made of its own bits alone.
      const std::string front = std::string("ABC") + before, back = std::string(after) + "DEF";
      const auto out = redacted(patterns, {encoded(front + kToken + back, sodium_base64_VARIANT_ORIGINAL)});
      const auto at = out.find("[redacted:token]");
      ASSERT_NE(at, std::string::npos);
      EXPECT_EQ(at, front.size() * 8 / 6);
      const auto total = (front.size() + kToken.size() + back.size() + 2) / 3 * 4;
      const auto end = ((front.size() + kToken.size()) * 8 + 5) / 6;
      EXPECT_EQ(out.size() - at - 16, total - end);
    }
}

TEST(Redactor, FindsEncodedFormsThatAreWrapped) {
  const std::string value = "a value that is long enough for base64 and xxd to wrap it over several lines, as they do";
  const auto patterns = patterns_of({{"long", value}});
  for (const auto& form : {encoded("pre" + value, sodium_base64_VARIANT_ORIGINAL), hex(value, false)})
    for (std::size_t width = 8; width <= form.size(); ++width)
      for (const auto* line_break : {"\n", "\r\n"}) {
        std::string text;
        for (std::size_t i = 0; i < form.size(); i += width) text += form.substr(i, width) + line_break;
        EXPECT_NE(redacted(patterns, {text}).find("[redacted:long]"), std::string::npos) << width;
      }
}

TEST(Redactor, TakesTheLongestThatBeginsLeftmost) {
  const auto patterns = patterns_of({{"short", "password"}, {"long", "password-of-the-plant"}});
  EXPECT_EQ(redacted(patterns, {"a password-of-the-plant b"}), "a [redacted:long] b");
  EXPECT_EQ(redacted(patterns, {"a password-of-the-pond b"}), "a [redacted:short]-of-the-pond b");
  EXPECT_EQ(redacted(patterns, {"passwordpassword"}), "[redacted:short][redacted:short]");
}

TEST(Redactor, LeavesNoRemainderOfAnOverlappingValue) {
  const auto patterns = patterns_of({{"one", "AAAAAAAABBBBBBBB"}, {"two", "BBBBBBBBCCCCCCCC"}});
  EXPECT_EQ(redacted(patterns, {"<AAAAAAAABBBBBBBBCCCCCCCC>"}), "<[redacted:one]>");
}

TEST(Redactor, CoversEndlessRepetitionWithoutHoldingIt) {
  const auto patterns = patterns_of({{"ab", "abababab"}});
  std::string out;
  Redactor redactor(patterns, [&](std::string_view bytes) { out += bytes; });
  for (int i = 0; i < 100000; ++i) redactor.write("ab");
  redactor.write("!");
  redactor.finish();
  EXPECT_EQ(out, "[redacted:ab]!");
}

TEST(Redactor, CountsEachLongLineOfAValueByItself) {
  const auto patterns = patterns_of({{"key", "-----BEGIN-----\r\nMC4CAQAwBQYDK2Vw\nshort\nBCIEIJx0aGlzIGlz\n"}});
  EXPECT_EQ(redacted(patterns, {"x MC4CAQAwBQYDK2Vw y\n"}), "x [redacted:key] y\n");
  EXPECT_EQ(redacted(patterns, {"BCIEIJx0aGlzIGlz"}), "[redacted:key]");
  EXPECT_EQ(redacted(patterns, {"-----BEGIN-----"}), "[redacted:key]");
  EXPECT_EQ(redacted(patterns, {"a short walk"}), "a short walk");
  EXPECT_EQ(redacted(patterns, {hex("BCIEIJx0aGlzIGlz", false)}), "[redacted:key]");
}

TEST(Redactor, FindsShortValuesOnlyAsWholeWords) {
  const auto patterns = patterns_of({{"pin", "4711"}});
  const std::vector<Named> cases = {{"pin 4711.", "pin [redacted:pin]."},
                                    {"4711", "[redacted:pin]"},
                                    {"14711", "14711"},
                                    {"47110", "47110"},
                                    {"a4711", "a4711"},
                                    {"4711_", "4711_"},
                                    {"(4711)", "([redacted:pin])"},
                                    {"4711 4711", "[redacted:pin] [redacted:pin]"},
                                    {"NDcxMQ==", "NDcxMQ=="}};
  for (const auto& [text, want] : cases) {
    EXPECT_EQ(redacted(patterns, {text}), want);
    for (std::size_t split = 0; split <= text.size(); ++split)
      EXPECT_EQ(redacted(patterns, {text.substr(0, split), text.substr(split)}), want) << split;
  }
}

TEST(Redactor, PassesOnAtOnceWhatIsClean) {
  const auto patterns = patterns_of({{"token", "zzz-secret-value"}});
  std::string out;
  Redactor redactor(patterns, [&](std::string_view bytes) { out += bytes; });
  redactor.write("progress 10%\n");
  EXPECT_EQ(out, "progress 10%\n");
  redactor.write("zzz-sec");
  EXPECT_EQ(out, "progress 10%\n") << "held back: it may be the beginning of the value";
  redactor.write("ond");
  EXPECT_EQ(out.substr(0, 22), "progress 10%\nzzz-secon");
  redactor.finish();
  EXPECT_EQ(out, "progress 10%\nzzz-second");
}

TEST(Redactor, NeverChangesCleanText) {
  const auto patterns = patterns_of({{"token", kToken}, {"other", std::string(3000, 'q') + "w"}, {"pin", "4711-xy"}});
  std::mt19937_64 random(7);
  std::string block(1 << 20, '\0');
  std::uint64_t out_bytes = 0, different = 0;
  std::string out;
  Redactor redactor(patterns, [&](std::string_view bytes) { out += bytes; });
  for (int i = 0; i < 64; ++i) {
    for (std::size_t at = 0; at < block.size(); at += 8) {
      const auto word = i % 2 == 0 ? random() : random() & 0x3f3f3f3f3f3f3f3fULL;  // binary, then text-like bytes
      std::memcpy(block.data() + at, &word, 8);
    }
    redactor.write(block);
    if (i == 63) redactor.finish();
    // One byte at most waits for the next block when it could be part of a base64 group; so compare by length here.
    out_bytes += out.size();
    if (i == 0 && out.substr(0, out.size()) != block.substr(0, out.size())) ++different;
    out.clear();
  }
  EXPECT_EQ(out_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(redactor.hits(), 0U);
  EXPECT_EQ(different, 0U);
}

TEST(Redactor, AgreesWithItselfOnRandomSplitsOfRandomText) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto letter = [&] { return static_cast<char>('a' + random() % 2); };
    std::string one(8 + random() % 5, ' '), two(8 + random() % 9, ' '), text(400, ' ');
    for (auto* each : {&one, &two, &text})
      for (auto& c : *each) c = letter();
    const auto patterns = patterns_of({{"one", one}, {"two", two}});
    const auto whole = redacted(patterns, {text});
    std::vector<std::string> writes;
    for (std::size_t at = 0; at < text.size();) {
      const auto count = 1 + random() % 17;
      writes.push_back(text.substr(at, count));
      at += count;
    }
    ASSERT_EQ(redacted(patterns, writes), whole);
    ASSERT_EQ(whole.find(one), std::string::npos);
    ASSERT_EQ(whole.find(two), std::string::npos);
  }
}

TEST(Redactor, WithoutValuesIsAPipe) {
  const auto patterns = Patterns({});
  EXPECT_TRUE(patterns.empty());
  EXPECT_EQ(redacted(patterns, {"a", "b"}), "ab");
  EXPECT_FALSE(patterns.occurs_in("anything at all"));
}

TEST(Patterns, SaysWhereAndWhich) {
  const auto patterns = patterns_of({{"token", kToken}, {"pin", "4711"}});
  const auto hits = patterns.find_all("ab " + kToken + " 4711 " + hex(kToken, true));
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits[0].name, "token");
  EXPECT_EQ(hits[0].offset, 3U);
  EXPECT_EQ(hits[1].name, "pin");
  EXPECT_EQ(hits[2].offset, 3 + kToken.size() + 6);
  EXPECT_TRUE(patterns.occurs_in("x" + kToken));
  EXPECT_FALSE(patterns.occurs_in("x" + kToken.substr(1)));
}

TEST(Patterns, TakesTheLargestValueOfManyLines) {
  std::string value;
  for (int i = 0; value.size() < 60000; ++i) value += "line number " + std::to_string(i) + " of a long value\n";
  const auto patterns = patterns_of({{"large", value}});
  EXPECT_EQ(redacted(patterns, {"a " + value + "b"}), "a [redacted:large]b");
  EXPECT_EQ(redacted(patterns, {"<line number 77 of a long value>"}), "<[redacted:large]>");
}

}  // namespace
}  // namespace stella::redaction
