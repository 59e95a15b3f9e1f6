// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bundles/canon/digest.hpp"
#include "bundles/trust/key.hpp"

namespace stella::trust {
namespace {

constexpr auto kCode = fault::Code::site_invalid;
// The SPKI prefix of Ed25519 in hex: RFC 8410.
const std::string kPrefix = "302a300506032b6570032100";

std::string bytes(const std::string& hex) {
  const auto raw = canon::from_hex(hex, fault::Code::internal, "test");
  return {raw.begin(), raw.end()};
}

PrivateKey key_of(const std::string& seed_hex) {
  return PrivateKey::from_seed(locked::Bytes::copy_of(bytes(seed_hex)));
}

std::string hex_of(std::string_view text) {
  return canon::to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string reason_of(const std::string& line) {
  try {
    (void)parse_public_line(line, kCode, "keys[0]");
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), kCode);
    EXPECT_EQ(error.at(), "keys[0]");
    return error.reason();
  }
  return "accepted";
}

struct Vector {
  std::string seed, key, message, signature;
};
// RFC 8032 section 7.1, tests 1 to 3 and SHA(abc).
const Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55"
     "141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d"
     "291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027"
     "beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9a"
     "c94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
     "9be"
     "f1177331a704"},
};

TEST(Key, SignsAndVerifiesAsRfc8032) {
  for (const Vector& vector : kVectors) {
    const PrivateKey key = key_of(vector.seed);
    EXPECT_EQ(canon::to_hex(key.public_key().raw), vector.key);
    const Signature signature = key.sign(bytes(vector.message));
    EXPECT_EQ(canon::to_hex(signature), vector.signature);
    EXPECT_TRUE(verify(key.public_key(), bytes(vector.message), bytes(vector.signature)));
  }
}

TEST(Key, RefusesASignatureWithOneBitChanged) {
  const PrivateKey key = key_of(kVectors[1].seed);
  for (std::size_t bit = 0; bit < 512; bit += 7) {
    std::string signature = bytes(kVectors[1].signature);
    signature[bit / 8] = static_cast<char>(signature[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify(key.public_key(), bytes("72"), signature));
  }
  EXPECT_FALSE(verify(key.public_key(), bytes("72"), bytes(kVectors[1].signature).substr(1)));
  EXPECT_FALSE(verify(key.public_key(), bytes("73"), bytes(kVectors[1].signature)));
}

// S + L is the other spelling of S that lenient verifiers take (RFC 8032 section 5.1.7).
TEST(Key, RefusesAMalleatedSignature) {
  static constexpr std::uint8_t kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                              0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                              0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  std::string signature = bytes(kVectors[0].signature);
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += static_cast<std::uint8_t>(signature[32 + i]) + kOrder[i];
    signature[32 + i] = static_cast<char>(carry & 0xffU);
    carry >>= 8U;
  }
  EXPECT_FALSE(verify(key_of(kVectors[0].seed).public_key(), "", signature));
}

TEST(PublicKey, WritesTheFormsThatOthersRead) {
  const PublicKey key = key_of(kVectors[0].seed).public_key();
  EXPECT_EQ(hex_of(key.spki()), kPrefix + kVectors[0].key);
  EXPECT_EQ(key.key_id(), canon::sha256(bytes(kPrefix + kVectors[0].key)).hex());
  EXPECT_EQ(key.line().size(), 60U);
  EXPECT_EQ(key.pem(), "-----BEGIN PUBLIC KEY-----\n" + key.line() + "\n-----END PUBLIC KEY-----\n");
  EXPECT_EQ(key.ssh_line("apl-1", "stella-evidence"),
            "apl-1 namespaces=\"stella-evidence\" ssh-ed25519 "
            "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
}

// golang.org/x/mod/sumdb/note, package documentation: the verifier key of "PeterNeumann".
TEST(PublicKey, WritesTheVerifierKeyOfSignedNotes) {
  const std::string decoded = canon::from_base64("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", kCode, "test");
  const PublicKey key = parse_public_raw(decoded.substr(1), kCode, "test");
  EXPECT_EQ(key.vkey("PeterNeumann"), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
}

TEST(PublicKey, IsReadBackFromEveryForm) {
  const PublicKey key = PrivateKey::generate().public_key();
  EXPECT_EQ(parse_public_line(key.line(), kCode, ""), key);
  EXPECT_EQ(parse_public_pem(key.pem(), kCode, ""), key);
  EXPECT_EQ(parse_public_der(key.spki(), kCode, ""), key);
}

TEST(PublicKey, RefusesHostilePoints) {
  const std::string points[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",  // identity
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // order 2
      "0000000000000000000000000000000000000000000000000000000000000000",  // order 4
      "0000000000000000000000000000000000000000000000000000000000000080",  // order 4
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  // order 8
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // identity, spelt p + 1
      "0200000000000000000000000000000000000000000000000000000000000000",  // no point of the curve
      "13bc63ca93f30adfffd9fe5a5d2a3a0b5f7cfab0a6cd7d2a66f5ae0bfe3dd9c1",  // not in the main group
  };
  for (const std::string& point : points)
    EXPECT_EQ(reason_of(canon::to_base64(bytes(kPrefix + point))), "key") << point;
}

TEST(PublicKey, RefusesAnythingButThe44Bytes) {
  const std::string good = PrivateKey::generate().public_key().spki();
  EXPECT_EQ(reason_of(canon::to_base64(good)), "accepted");
  EXPECT_EQ(reason_of(canon::to_base64(good.substr(0, 43))), "key");
  EXPECT_EQ(reason_of(canon::to_base64(good + '\0')), "key");
  EXPECT_EQ(reason_of(canon::to_base64(good.substr(12))), "key");
  EXPECT_EQ(reason_of(canon::to_base64(bytes("302a300506032b656e032100") + good.substr(12))), "key");  // X25519's OID
  EXPECT_EQ(reason_of(canon::to_base64(good) + "\n"), "key");
  EXPECT_EQ(reason_of(canon::to_base64(good).substr(0, 59)), "key");
  EXPECT_EQ(reason_of(""), "key");
  EXPECT_EQ(reason_of(std::string(1 << 20, 'A')), "key");
}

TEST(PublicKey, RefusesPemWithAnythingAround) {
  const std::string good = PrivateKey::generate().public_key().pem();
  const std::string bad[] = {"",
                             "x" + good,
                             good + "\n",
                             good + good,
                             good.substr(0, good.size() - 1),
                             good.substr(0, 40),
                             "-----BEGIN PRIVATE KEY-----\n"};
  for (const std::string& pem : bad) EXPECT_THROW((void)parse_public_pem(pem, kCode, ""), fault::Error) << pem;
}

}  // namespace
}  // namespace stella::trust
