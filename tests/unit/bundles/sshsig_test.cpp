// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bundles/sshsig/signature.hpp"

namespace stella::sshsig {
namespace {

constexpr auto kCode = fault::Code::evidence_tampered;

std::string without(std::string text, const std::string& part) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos);
  return text.erase(at, part.size());
}

class SshSignatureTest : public ::testing::Test {
 protected:
  SshSignatureTest() {
    char name[] = "/tmp/stella-sshsig-XXXXXX";
    folder_ = ::mkdtemp(name);
    armour_ = sign(key_, kEvidence, message_);
  }
  ~SshSignatureTest() override { std::filesystem::remove_all(folder_); }
  void put(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }
  std::string take(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  int run(const std::string& command) {
    return std::system(("cd " + folder_ + " && " + command + " >out 2>&1").c_str());
  }

  std::string folder_, armour_;
  std::string message_ = "0000  data/plan.json\n";
  trust::PrivateKey key_ = trust::PrivateKey::generate();
};

TEST_F(SshSignatureTest, IsAcceptedBySshKeygen) {
  if (run("command -v ssh-keygen") != 0) GTEST_SKIP() << "ssh-keygen is not installed";
  put("message", message_);
  put("message.sig", armour_);
  put("allowed", key_.public_key().ssh_line("apl-1", kEvidence) + "\n");
  const std::string verify = "ssh-keygen -Y verify -f allowed -I apl-1 -n stella-evidence -s message.sig < ";
  EXPECT_EQ(run(verify + "message"), 0) << take("out");
  put("other", message_ + " ");
  EXPECT_NE(run(verify + "other"), 0);
  EXPECT_NE(run("ssh-keygen -Y verify -f allowed -I apl-1 -n file -s message.sig < message"), 0);
  put("allowed", trust::PrivateKey::generate().public_key().ssh_line("apl-1", kEvidence) + "\n");
  EXPECT_NE(run(verify + "message"), 0);
}

TEST_F(SshSignatureTest, ReadsWhatSshKeygenSigns) {
  if (run("command -v ssh-keygen && ssh-keygen -q -t ed25519 -N '' -f id") != 0)
    GTEST_SKIP() << "ssh-keygen is not installed";
  put("message", message_);
  ASSERT_EQ(run("ssh-keygen -Y sign -f id -n stella-evidence message"), 0) << take("out");
  const Armoured signature = parse(take("message.sig"), kCode, "message.sig");
  EXPECT_TRUE(is_signed_by(signature, signature.key, kEvidence, message_));
  EXPECT_FALSE(is_signed_by(signature, signature.key, kEvidence, message_ + " "));
}

TEST_F(SshSignatureTest, IsOfOneKeyNameSpaceAndMessage) {
  const Armoured signature = parse(armour_, kCode, "sig");
  EXPECT_TRUE(is_signed_by(signature, key_.public_key(), kEvidence, message_));
  EXPECT_FALSE(is_signed_by(signature, trust::PrivateKey::generate().public_key(), kEvidence, message_));
  EXPECT_FALSE(is_signed_by(signature, key_.public_key(), "git", message_));
  EXPECT_FALSE(is_signed_by(signature, key_.public_key(), kEvidence, "x"));
}

TEST_F(SshSignatureTest, RefusesEverySingleByteChanged) {
  for (std::size_t i = 0; i < armour_.size(); ++i) {
    std::string bad = armour_;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    try {
      EXPECT_FALSE(is_signed_by(parse(bad, kCode, "sig"), key_.public_key(), kEvidence, message_)) << i;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), kCode);
    }
  }
}

TEST_F(SshSignatureTest, RefusesOtherShapes) {
  EXPECT_THROW((void)parse("", kCode, ""), fault::Error);
  EXPECT_THROW((void)parse(without(armour_, "-----BEGIN SSH SIGNATURE-----\n"), kCode, ""), fault::Error);
  EXPECT_THROW((void)parse("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", kCode, ""), fault::Error);
  EXPECT_THROW((void)parse(armour_ + armour_, kCode, ""), fault::Error);
  EXPECT_THROW((void)parse(armour_ + std::string(8192, 'A'), kCode, ""), fault::Error);
  for (std::size_t size = 0; size < armour_.size(); ++size) {
    EXPECT_THROW((void)parse(armour_.substr(0, size), kCode, ""), fault::Error) << size;
  }
}

}  // namespace
}  // namespace stella::sshsig
