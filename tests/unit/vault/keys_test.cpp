// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "bundles/fault/error.hpp"
#include "vault/keys/aead.hpp"
#include "vault/keys/hierarchy.hpp"

namespace stella::keys {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "none";
}

TEST(Seal, OpensOnlyWithItsKeyAndBinding) {
  const auto key = random_key(), other = random_key();
  Binding here("here"), there("there");
  const auto sealed = seal(key, bytes_of("value"), here);
  ASSERT_TRUE(open(key, sealed, here));
  EXPECT_EQ(open(key, sealed, here)->view(), "value");
  EXPECT_FALSE(open(other, sealed, here));
  EXPECT_FALSE(open(key, sealed, there));
}

TEST(Seal, NoticesEveryChangedBitAndEveryCut) {
  const auto key = random_key();
  const Binding bound("test");
  const auto sealed = seal(key, bytes_of("a secret value"), bound);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(open(key, changed, bound)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(open(key, std::span(sealed).first(size), bound)) << size;
}

TEST(Seal, TakesEmptyPlaintextAndNeverRepeatsItself) {
  const auto key = random_key();
  const Binding bound("test");
  EXPECT_TRUE(open(key, seal(key, {}, bound), bound));
  EXPECT_NE(seal(key, {}, bound), seal(key, {}, bound));
}

TEST(Binding, KeepsFieldsFromRunningTogether) {
  Binding one("p"), two("p");
  one.add("ab").add("c");
  two.add("a").add("bc");
  EXPECT_NE(std::string(one.bytes().begin(), one.bytes().end()), std::string(two.bytes().begin(), two.bytes().end()));
}

TEST(Hierarchy, GivesEachTenantTermAndRecordItsOwnKey) {
  const auto root = random_key();
  const VaultId vault{1}, other{2};
  const auto key = tenant_key(root, vault, "a", 1);
  EXPECT_TRUE(locked::equal(key.span(), tenant_key(root, vault, "a", 1).span()));
  EXPECT_FALSE(locked::equal(key.span(), tenant_key(root, vault, "b", 1).span()));
  EXPECT_FALSE(locked::equal(key.span(), tenant_key(root, vault, "a", 2).span()));
  EXPECT_FALSE(locked::equal(key.span(), tenant_key(root, other, "a", 1).span()));
  EXPECT_FALSE(locked::equal(key.span(), record_key(root, vault, "a").span()));
}

TEST(Hierarchy, OpensTheRootOnlyWithItsParameters) {
  const auto root = random_key(), unseal = random_key();
  const VaultId vault{7};
  const auto stretching = new_stretching(kMemoryFloor);
  const auto sealed = seal_root(root, unseal, vault, stretching);
  EXPECT_TRUE(open_root(sealed, unseal, vault, stretching));
  auto changed = stretching;
  changed.passes = 1;
  EXPECT_FALSE(open_root(sealed, unseal, vault, changed)) << "weaker parameters cannot be slipped in";
}

// The value is what the reference program says (Debian's argon2 0~20171227):
//   printf 'correct horse battery staple' | argon2 0123456789abcdef -id -t 3 -k 65536 -p 1 -l 32 -r
TEST(Stretch, IsArgon2idAsTheReferenceProgramComputesIt) {
  Stretching stretching{.memory_bytes = kMemoryFloor, .passes = 3, .salt = {}};
  std::memcpy(stretching.salt.data(), "0123456789abcdef", 16);
  const auto key = stretch(locked::Bytes::copy_of("correct horse battery staple"), stretching);
  constexpr std::array<std::uint8_t, 32> kWant = {0x94, 0xc8, 0x6f, 0x54, 0x1a, 0xbd, 0xb3, 0xd9, 0xaa, 0xbf, 0xea,
                                                  0x59, 0xaa, 0x03, 0x96, 0x35, 0x49, 0x48, 0x3e, 0x9c, 0x0b, 0x1a,
                                                  0x79, 0x33, 0x6e, 0x76, 0xb5, 0x4c, 0xee, 0x6c, 0x91, 0x7e};
  EXPECT_TRUE(locked::equal(key.span(), kWant));
}

TEST(Stretch, RefusesTooLittleAndTooMuchMemory) {
  EXPECT_EQ(refusal([] { (void)new_stretching(kMemoryFloor - 1); }), "ERR_USAGE kdf-memory");
  EXPECT_EQ(refusal([] { (void)new_stretching(kMemoryCeiling + 1); }), "ERR_USAGE kdf-memory");
  EXPECT_FALSE(is_within_bounds({.memory_bytes = kMemoryFloor, .passes = 0, .salt = {}}));
  EXPECT_FALSE(is_within_bounds({.memory_bytes = kMemoryCeiling + 1, .passes = 3, .salt = {}}));
  EXPECT_FALSE(is_within_bounds({.memory_bytes = kMemoryFloor, .passes = kPassesCeiling + 1, .salt = {}}));
}

}  // namespace
}  // namespace stella::keys
