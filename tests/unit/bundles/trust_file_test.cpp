// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "bundles/canon/json.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::trust {
namespace {

class Answers : public Passphrases {
 public:
  explicit Answers(std::string answer) : answer_(std::move(answer)) {}
  locked::Bytes ask(const std::string&) override {
    ++asked;
    return locked::Bytes::copy_of(answer_);
  }
  locked::Bytes ask_new(const std::string& prompt) override { return ask(prompt); }
  int asked = 0;

 private:
  std::string answer_;
};

class KeyFileTest : public ::testing::Test {
 protected:
  KeyFileTest() {
    char name[] = "/tmp/stella-trust-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~KeyFileTest() override { std::filesystem::remove_all(folder_); }

  std::string put(const std::string& name, std::string_view text, unsigned mode = 0600) {
    const std::string path = folder_ + "/" + name;
    files::write_atomically(path, text, mode);
    return path;
  }
  std::string put_sealed() {
    return put("ada.key", seal_key(key_, "Ada Obi", locked::Bytes::copy_of("open sesame"), kKdfMemoryFloor));
  }
  std::string reason(const std::string& path, const std::string& passphrase = "open sesame") {
    Answers answers(passphrase);
    try {
      (void)load_key(path, answers);
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::key_unusable) << error.what();
      return error.reason();
    }
    return "opened";
  }
  static std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string out;
    char block[4096];
    for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, pipe)) > 0;) out.append(block, got);
    EXPECT_EQ(::pclose(pipe), 0) << command;
    return out;
  }

  std::string folder_;
  PrivateKey key_ = PrivateKey::generate();
};

TEST_F(KeyFileTest, OpensWithItsPassphraseOnly) {
  const std::string path = put_sealed();
  Answers right("open sesame");
  const LoadedKey loaded = load_key(path, right);
  EXPECT_EQ(loaded.key.public_key(), key_.public_key());
  EXPECT_EQ(loaded.name, "Ada Obi");
  EXPECT_TRUE(loaded.has_passphrase);
  EXPECT_EQ(reason(path, "open sesam"), "passphrase");
  EXPECT_EQ(reason(path, ""), "passphrase");
}

TEST_F(KeyFileTest, IsBoundToEverythingItSays) {
  const canon::Json good =
      canon::parse_json(files::read_input(put_sealed(), {.max_bytes = 65536}), fault::Code::internal, "test");
  canon::Json renamed = good, cheaper = good, other_time = good;
  renamed["subject"] = "Eve";
  cheaper["kdf"]["opslimit"] = 2;
  other_time["createdAt"] = "2020-01-01T00:00:00Z";
  for (const canon::Json& file : {renamed, cheaper, other_time}) {
    EXPECT_EQ(reason(put("edited.key", canon::pretty(file))), "passphrase");
  }
}

TEST_F(KeyFileTest, RefusesDerivationCostsOutsideTheLimitsBeforeAsking) {
  const canon::Json good =
      canon::parse_json(files::read_input(put_sealed(), {.max_bytes = 65536}), fault::Code::internal, "test");
  const auto with = [&](const char* name, canon::Json value) {
    canon::Json file = good;
    file["kdf"][name] = std::move(value);
    return put("edited.key", canon::pretty(file));
  };
  EXPECT_EQ(reason(with("memlimit", (std::uint64_t{2} << 30) + 1)), "kdf");
  EXPECT_EQ(reason(with("memlimit", 8192)), "kdf");
  EXPECT_EQ(reason(with("memlimit", -1)), "kdf");
  EXPECT_EQ(reason(with("opslimit", 17)), "kdf");
  EXPECT_EQ(reason(with("opslimit", 0)), "kdf");
  EXPECT_EQ(reason(with("opslimit", "3")), "kdf");
  EXPECT_EQ(reason(with("alg", "scrypt")), "format");
  Answers answers("open sesame");
  EXPECT_THROW((void)load_key(with("opslimit", 17), answers), fault::Error);
  EXPECT_EQ(answers.asked, 0);
}

TEST_F(KeyFileTest, RefusesUnknownAndWrongFields) {
  canon::Json file =
      canon::parse_json(files::read_input(put_sealed(), {.max_bytes = 65536}), fault::Code::internal, "t");
  file["extra"] = 1;
  EXPECT_EQ(reason(put("a.key", canon::pretty(file))), "format");
  file.erase("extra");
  file["keyid"] = std::string(64, '0');
  EXPECT_EQ(reason(put("b.key", canon::pretty(file))), "format");
  EXPECT_EQ(reason(put("c.key", "{\"format\":")), "json");
  EXPECT_EQ(reason(put("d.key", "ssh-ed25519 AAAA\n")), "format");
  EXPECT_EQ(reason(put("e.key", key_.public_key().pem())), "format");
}

TEST_F(KeyFileTest, RefusesAFileThatOthersMayRead) {
  const std::string path = put("k.key", plain_key(key_).view());
  EXPECT_EQ(reason(path), "opened");
  for (const mode_t mode : {0640, 0604, 0660, 0700, 04600}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_EQ(reason(path), "mode") << std::oct << mode;
  }
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_EQ(reason(path), "opened");
}

TEST_F(KeyFileTest, RefusesAForeignOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  const std::string path = put("k.key", plain_key(key_).view());
  ASSERT_EQ(::chown(path.c_str(), 4711, 4711), 0);
  EXPECT_EQ(reason(path), "mode");
}

TEST_F(KeyFileTest, ReadsWhatOpensslWritesAndTheOtherWayRound) {
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) GTEST_SKIP() << "openssl is not installed";
  const std::string ours = put("ours.pem", plain_key(key_).view());
  EXPECT_EQ(output_of("openssl pkey -in " + ours + " -pubout"), key_.public_key().pem());
  EXPECT_EQ(output_of("openssl pkey -in " + ours + " -pubout -outform DER | sha256sum | cut -c1-64"),
            key_.public_key().key_id() + "\n");
  const std::string theirs = put("theirs.pem", output_of("openssl genpkey -algorithm ed25519"));
  Answers answers("");
  const LoadedKey loaded = load_key(theirs, answers);
  EXPECT_FALSE(loaded.has_passphrase);
  EXPECT_EQ(answers.asked, 0);
  EXPECT_EQ(output_of("openssl pkey -in " + theirs + " -pubout"), loaded.key.public_key().pem());
}

TEST_F(KeyFileTest, RefusesAKeyOfAnotherKind) {
  if (std::system("command -v openssl >/dev/null 2>&1") != 0) GTEST_SKIP() << "openssl is not installed";
  EXPECT_EQ(reason(put("x.pem", output_of("openssl genpkey -algorithm x25519"))), "format");
  EXPECT_EQ(reason(put("p.pem", output_of("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"))),
            "format");
}

TEST_F(KeyFileTest, TellsWhatAFileHoldsWithoutAsking) {
  const KeyFile sealed = inspect_key_file(put_sealed());
  EXPECT_EQ(sealed.kind, KeyKind::sealed);
  EXPECT_EQ(sealed.name, "Ada Obi");
  EXPECT_EQ(sealed.public_key, key_.public_key());
  EXPECT_EQ(inspect_key_file(put("k.pem", plain_key(key_).view())).kind, KeyKind::plain);
  EXPECT_EQ(inspect_key_file(put("k.pub", key_.public_key().pem(), 0644)).kind, KeyKind::public_key);
}

TEST_F(KeyFileTest, RefusesTooSmallAndTooLargeMemory) {
  const locked::Bytes passphrase = locked::Bytes::copy_of("x");
  EXPECT_THROW((void)seal_key(key_, "", passphrase, kKdfMemoryFloor - 1), fault::Error);
  EXPECT_THROW((void)seal_key(key_, "", passphrase, kKdfMemoryCeiling + 1), fault::Error);
}

}  // namespace
}  // namespace stella::trust
