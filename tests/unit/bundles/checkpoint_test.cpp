// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/checkpoint/note.hpp"

namespace stella::checkpoint {
namespace {

constexpr auto kCode = fault::Code::approval_malformed;
constexpr std::string_view kName = "stella/apl-1/plant-7";

Checkpoint some() {
  return {std::string(kName), 42, canon::sha256("leaf")};
}

// golang.org/x/mod/sumdb/note, package documentation: the note of "PeterNeumann".
TEST(Note, VerifiesThePublishedExample) {
  const std::string text =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  const std::string decoded = canon::from_base64("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", kCode, "test");
  const trust::PublicKey key = trust::parse_public_raw(decoded.substr(1), kCode, "test");
  const Note note =
      parse_note(text +
                     "\n— PeterNeumann "
                     "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
                 kCode, "note");
  EXPECT_EQ(note.text, text);
  EXPECT_TRUE(is_signed_by(note, "PeterNeumann", key));
  EXPECT_FALSE(is_signed_by(note, "EnochRoot", key));
}

TEST(Note, ComesBackAsItWasSigned) {
  const trust::PrivateKey key = trust::PrivateKey::generate();
  const Note note = parse_note(sign(some(), kName, key), kCode, "note");
  EXPECT_TRUE(is_signed_by(note, kName, key.public_key()));
  EXPECT_FALSE(is_signed_by(note, kName, trust::PrivateKey::generate().public_key()));
  EXPECT_EQ(parse_checkpoint(note.text, kCode, "note"), some());
}

TEST(Note, RefusesEverySingleByteChanged) {
  const trust::PrivateKey key = trust::PrivateKey::generate();
  const std::string good = sign(some(), kName, key);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    try {
      EXPECT_FALSE(is_signed_by(parse_note(bad, kCode, "note"), kName, key.public_key())) << i;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), kCode);
    }
  }
}

TEST(Note, RefusesOtherShapes) {
  const std::string good = sign(some(), kName, trust::PrivateKey::generate());
  const std::string bad[] = {"",
                             "\n",
                             "text\n",
                             "text\n\n",
                             good + "\n",
                             "\n" + good,
                             "a\n\n— x\n",
                             "a\n\n— x AAAA\n",
                             "a\n\n- x AAAAAAA=\n",
                             good + "— a+b AAAAAAA=\n",
                             good.substr(0, good.size() - 1),
                             "a\x01\n\n— x AAAAAAA=\n",
                             std::string(20000, 'a') + good};
  for (const std::string& note : bad) EXPECT_THROW((void)parse_note(note, kCode, "note"), fault::Error) << note;
}

TEST(Note, IsNotSignedUnderANameThatNobodyCouldRead) {
  const trust::PrivateKey key = trust::PrivateKey::generate();
  EXPECT_THROW((void)sign_note("text\n", "two words", key), fault::Error);
  EXPECT_THROW((void)sign_note("text\n", "a+b", key), fault::Error);
  EXPECT_THROW((void)sign_note("text", "a", key), fault::Error);
  EXPECT_THROW((void)sign_note("te\n\nxt\n", "a", key), fault::Error);
}

TEST(Checkpoint, RefusesOtherShapes) {
  const std::string root = canon::to_base64(canon::sha256("x").bytes);
  const std::string bad[] = {"",
                             "o\n1\n",
                             "o\n1\n" + root,
                             "o\n01\n" + root + "\n",
                             "o\n-1\n" + root + "\n",
                             "o\n+1\n" + root + "\n",
                             "o\n1 \n" + root + "\n",
                             "o\n99999999999999999\n" + root + "\n",
                             "\n1\n" + root + "\n",
                             "o\n1\nAAAA\n",
                             "o\n1\n" + root + "\nextension\n"};
  for (const std::string& text : bad) EXPECT_THROW((void)parse_checkpoint(text, kCode, "note"), fault::Error) << text;
  EXPECT_EQ(parse_checkpoint("o\n0\n" + root + "\n", kCode, "note").size, 0);
}

}  // namespace
}  // namespace stella::checkpoint
