// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/dsse/envelope.hpp"

namespace stella::dsse {
namespace {

constexpr auto kCode = fault::Code::approval_malformed;

trust::PrivateKey key_of(char fill) {
  return trust::PrivateKey::from_seed(locked::Bytes::copy_of(std::string(32, fill)));
}

Statement statement() {
  return {{{"plan.json", canon::sha256("{}")}}, "urn:stella:test:v1", {{"answer", 42}}};
}

std::string reason_of(const std::string& text) {
  try {
    (void)parse(text, kCode, "in.json");
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), kCode);
    return error.reason();
  }
  return "parsed";
}

std::string kind_reason(const Envelope& envelope) {
  try {
    (void)parse_statement(envelope, "urn:stella:test:v1", kCode, "in.json");
  } catch (const fault::Error& error) {
    return error.reason();
  }
  return "parsed";
}

// DSSE v1.0.2 protocol.md, "PAE definition" test vector.
TEST(Pae, IsTheSpecificationsVector) {
  EXPECT_EQ(pae("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(pae("", ""), "DSSEv1 0  0 ");
}

TEST(Envelope, ComesBackAsItWasWritten) {
  const trust::PrivateKey key = key_of('a');
  const Envelope envelope = sign("application/x", std::string("\x00\xff text", 7), key);
  const Envelope read = parse(serialise(envelope), kCode, "in.json");
  EXPECT_EQ(read.payload, envelope.payload);
  EXPECT_EQ(read.payload_type, "application/x");
  EXPECT_EQ(read.signatures.at(0).key_id, key.public_key().key_id());
  const std::vector<trust::PublicKey> keys = {key_of('b').public_key(), key.public_key()};
  EXPECT_EQ(find_signer(read, read.signatures[0], keys), 1U);
}

TEST(Envelope, FindsNoSignerWhenAnythingChanged) {
  const trust::PrivateKey key = key_of('a');
  const std::vector<trust::PublicKey> keys = {key.public_key()};
  Envelope other_type = sign("application/x", "payload", key), other_payload = other_type, other_key = other_type;
  other_type.payload_type = "application/y";
  other_payload.payload += ' ';
  EXPECT_FALSE(find_signer(other_type, other_type.signatures[0], keys));
  EXPECT_FALSE(find_signer(other_payload, other_payload.signatures[0], keys));
  EXPECT_FALSE(find_signer(other_key, other_key.signatures[0], {}));
}

TEST(Envelope, IgnoresTheKeyId) {
  const trust::PrivateKey key = key_of('a');
  Envelope envelope = sign("application/x", "payload", key);
  envelope.signatures[0].key_id = key_of('b').public_key().key_id();
  const std::vector<trust::PublicKey> keys = {key.public_key()};
  EXPECT_EQ(find_signer(envelope, envelope.signatures[0], keys), 0U);
}

TEST(Envelope, HoldsOneSignatureForEachKey) {
  Envelope envelope = sign("application/x", "payload", key_of('a'));
  add_signature(envelope, key_of('b'));
  add_signature(envelope, key_of('a'));
  ASSERT_EQ(envelope.signatures.size(), 2U);
  EXPECT_EQ(envelope.signatures[1].key_id, key_of('a').public_key().key_id());
}

TEST(Envelope, RefusesWhatTheShapeDoesNotAllow) {
  const std::string sig = canon::to_base64(std::string(64, 's'));
  const auto with = [&](const std::string& members) {
    return R"({"payloadType":"t","payload":"aGk=","signatures":[{"keyid":"","sig":")" + sig + "\"" + members;
  };
  EXPECT_EQ(reason_of(with("}]}")), "parsed");
  EXPECT_EQ(reason_of(with("}],\"more\":1}")), "envelope");
  EXPECT_EQ(reason_of(with(",\"cert\":\"x\"}]}")), "envelope");
  EXPECT_EQ(reason_of(with("}],\"payload\":\"aGk=\"}")), "json");
  EXPECT_EQ(reason_of(R"({"payloadType":"t","payload":"aGk=","signatures":[]})"), "envelope");
  EXPECT_EQ(reason_of(R"({"payloadType":"t","payload":"aGl=","signatures":[{"sig":"AA=="}]})"), "base64");
  EXPECT_EQ(reason_of(R"({"payloadType":"t","payload":"aGk=","signatures":[{"sig":"AA=="}]})"), "envelope");
  EXPECT_EQ(reason_of(R"({"payloadType":"t","payload":"aG_-","signatures":[{"sig":"AA=="}]})"), "base64");
  EXPECT_EQ(reason_of("[]"), "envelope");
  EXPECT_EQ(reason_of(""), "json");
}

TEST(Statement, ComesBackAsItWasSigned) {
  const Envelope envelope = parse(serialise(sign(statement(), key_of('a'))), kCode, "in.json");
  const Statement read = parse_statement(envelope, "urn:stella:test:v1", kCode, "in.json");
  EXPECT_EQ(read.subjects.at(0).name, "plan.json");
  EXPECT_EQ(read.subjects.at(0).digest, canon::sha256("{}"));
  EXPECT_EQ(read.predicate.at("answer"), 42);
}

TEST(Statement, IsRefusedAsAnotherKind) {
  Envelope two = sign(statement(), key_of('a'));
  add_signature(two, key_of('b'));
  EXPECT_EQ(kind_reason(two), "envelope");
  EXPECT_EQ(kind_reason(sign(kSiteType, serialise(statement()), key_of('a'))), "payload-type");
  Statement other = statement();
  other.predicate_type = "urn:stella:approval:v1";
  EXPECT_EQ(kind_reason(sign(other, key_of('a'))), "predicate-type");
  EXPECT_EQ(kind_reason(sign(kStatementType, "{}", key_of('a'))), "statement");
  EXPECT_EQ(kind_reason(sign(kStatementType, "{", key_of('a'))), "json");
  Statement bare = statement();
  bare.subjects.clear();
  EXPECT_EQ(kind_reason(sign(bare, key_of('a'))), "statement");
}

}  // namespace
}  // namespace stella::dsse
