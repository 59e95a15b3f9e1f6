// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/packfile/bundle.hpp"
#include "bundles/packfile/signing.hpp"

namespace stella::packfile {
namespace {

const trust::PrivateKey& key_of(int which) {
  static const trust::PrivateKey keys[] = {trust::PrivateKey::generate(), trust::PrivateKey::generate()};
  return keys[which];
}

Opened pack_signed_by(const std::vector<int>& signers, const std::string& of_version = "1.4.0") {
  Opened pack;
  pack.name = "firmware-rollout";
  pack.version = "1.4.0";
  pack.digest = canon::sha256("config");
  for (const int signer : signers) {
    const std::string bytes = sign_digest(pack.name, of_version, pack.digest, key_of(signer));
    pack.signatures.push_back(dsse::parse(bytes, fault::Code::pack_invalid, "test"));
  }
  return pack;
}

site::Policy policy_with(const std::vector<std::string>& scope = {}) {
  site::Policy policy;
  policy.publishers.push_back({"OT Tools", key_of(0).public_key(), scope});
  return policy;
}

std::string reason(Opened pack, const site::Policy& policy) {
  try {
    (void)accept(std::move(pack), policy);
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), fault::Code::pack_signature);
    return error.reason();
  }
  return "accepted";
}

TEST(Accept, TakesAListedPublisher) {
  const Accepted accepted = accept(pack_signed_by({1, 0, 0}), policy_with({"firmware-*"}));
  ASSERT_EQ(accepted.publishers.size(), 1U) << "a stranger's signature neither helps nor harms; a key counts once";
  EXPECT_EQ(accepted.publishers[0].name, "OT Tools");
  EXPECT_EQ(accepted.publishers[0].key_id, key_of(0).public_key().key_id());
}

TEST(Accept, SaysWhyNot) {
  EXPECT_EQ(reason(pack_signed_by({}), policy_with()), "unsigned");
  EXPECT_EQ(reason(pack_signed_by({1}), policy_with()), "unknown-publisher");
  EXPECT_EQ(reason(pack_signed_by({0}), site::Policy{}), "unknown-publisher");
  EXPECT_EQ(reason(pack_signed_by({0}), policy_with({"backup-*"})), "scope");
  EXPECT_EQ(reason(pack_signed_by({0}, "1.3.0"), policy_with()), "signature") << "it speaks of another version";
  site::Policy policy = policy_with();
  policy.revoked.push_back({key_of(0).public_key(), {}, "left"});
  EXPECT_EQ(reason(pack_signed_by({0}), policy), "revoked");
  policy = policy_with();
  policy.denied.push_back({"firmware-rollout:1.4.0", "bricks rev B"});
  EXPECT_EQ(reason(pack_signed_by({0}), policy), "denied");
  policy.denied = {{canon::sha256("config").tagged(), "bricks rev B"}};
  EXPECT_EQ(reason(pack_signed_by({0}), policy), "denied");
}

TEST(Accept, ABrokenSignatureOfAListedKeyIsNamedSo) {
  Opened pack = pack_signed_by({0});
  pack.signatures[0].signatures[0].bytes[5] ^= 1;
  EXPECT_EQ(reason(pack, policy_with()), "signature");
  pack.signatures[0].signatures[0].key_id.clear();
  EXPECT_EQ(reason(pack, policy_with()), "unknown-publisher");
}

TEST(Accept, AnotherKindOfStatementDoesNotCount) {
  Opened pack = pack_signed_by({});
  pack.signatures.push_back(
      dsse::sign(dsse::Statement{{{pack.name_version(), pack.digest}}, "urn:stella:approval:v1", {}}, key_of(0)));
  EXPECT_EQ(reason(pack, policy_with()), "signature");
}

}  // namespace
}  // namespace stella::packfile
