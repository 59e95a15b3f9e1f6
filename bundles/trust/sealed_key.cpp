// SPDX-License-Identifier: Apache-2.0
#include "bundles/trust/sealed_key.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/trust/key_file.hpp"

namespace stella::trust {
namespace {

using fault::Code;
using fault::Error;

constexpr std::string_view kFormat = "stella-key/1", kKdf = "argon2id13", kAead = "xchacha20poly1305-ietf";
constexpr std::uint64_t kPasses = 3, kPassesCeiling = 16;
constexpr std::size_t kSeedBytes = crypto_sign_SEEDBYTES, kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  locked::fill_random({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

locked::Bytes derive(const locked::Bytes& passphrase, const std::string& salt, std::uint64_t opslimit,
                     std::uint64_t memlimit, const std::string& path) {
  locked::Bytes key(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
  if (crypto_pwhash(key.data(), key.size(), passphrase.view().data(), passphrase.size(), bytes(salt), opslimit,
                    memlimit, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw Error(Code::key_unusable, "memory",
                fmt::format("{} MiB of memory are not to be had for the key", memlimit >> 20), path,
                "Free memory, or make the key with a smaller --kdf-memory.");
  }
  return key;
}

std::string exactly(canon::Fields& fields, std::string_view name, std::size_t size, const std::string& path) {
  std::string value = canon::from_base64(fields.text(name, 4096), Code::key_unusable, path);
  if (value.size() != size) fields.fail(fmt::format("field `{}` must hold {} bytes", name, size), name);
  return value;
}

// What a file may make us spend is decided here, before any of it is spent.
std::uint64_t limited(const canon::Json& kdf, const char* name, std::uint64_t low, std::uint64_t high,
                      const std::string& path) {
  canon::Fields fields(kdf, Code::key_unusable, "kdf", path + ".kdf");
  return static_cast<std::uint64_t>(
      fields.integer(name, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
}

void parse_kdf(const canon::Json& kdf, SealedKey& sealed, const std::string& path) {
  canon::Fields fields(kdf, Code::key_unusable, "format", path);
  (void)fields.choice("alg", {std::string(kKdf)});
  fields.ignore("opslimit");
  fields.ignore("memlimit");
  sealed.salt = exactly(fields, "salt", crypto_pwhash_SALTBYTES, path);
  fields.finish();
  sealed.opslimit = limited(kdf, "opslimit", 1, kPassesCeiling, path);
  sealed.memlimit = limited(kdf, "memlimit", kKdfMemoryFloor, kKdfMemoryCeiling, path);
}

}  // namespace

std::string seal_key(const PrivateKey& key, const std::string& name, const locked::Bytes& passphrase,
                     std::uint64_t kdf_memory, clock::Time created_at) {
  if (kdf_memory < kKdfMemoryFloor || kdf_memory > kKdfMemoryCeiling) {
    throw Error(Code::usage, "kdf-memory",
                fmt::format("the key's memory must lie between {} MiB and {} MiB", kKdfMemoryFloor >> 20,
                            kKdfMemoryCeiling >> 20));
  }
  const std::string salt = random_bytes(crypto_pwhash_SALTBYTES);
  const std::string nonce = random_bytes(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  canon::Json file = {
      {"format", kFormat},
      {"subject", name},
      {"keyid", key.public_key().key_id()},
      {"publicKey", key.public_key().line()},
      {"createdAt", clock::format(created_at)},
      {"kdf", {{"alg", kKdf}, {"opslimit", kPasses}, {"memlimit", kdf_memory}, {"salt", canon::to_base64(salt)}}},
      {"aead", kAead},
      {"nonce", canon::to_base64(nonce)}};
  const std::string associated = canon::canonical(file);
  const locked::Bytes secret = derive(passphrase, salt, kPasses, kdf_memory, {});
  std::string sealed(kSeedBytes + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(sealed.data()), nullptr,
                                             key.seed().data(), key.seed().size(), bytes(associated), associated.size(),
                                             nullptr, bytes(nonce), secret.data());
  file["ciphertext"] = canon::to_base64(sealed);
  return canon::pretty(file);
}

SealedKey parse_sealed(std::string_view text, const std::string& path) {
  canon::Json file = canon::parse_json(text, Code::key_unusable, path, 65536);
  canon::Fields fields(file, Code::key_unusable, "format", path);
  SealedKey sealed;
  (void)fields.choice("format", {std::string(kFormat)});
  (void)fields.choice("aead", {std::string(kAead)});
  sealed.subject = fields.text("subject", 256);
  sealed.key_id = fields.text("keyid", 64);
  sealed.public_key = parse_public_line(fields.text("publicKey", 256), Code::key_unusable, path);
  (void)clock::parse_time(fields.text("createdAt", 64), Code::key_unusable, path);
  parse_kdf(fields.object("kdf"), sealed, path);
  sealed.nonce = exactly(fields, "nonce", crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, path);
  sealed.ciphertext = exactly(fields, "ciphertext", kSeedBytes + kTagBytes, path);
  fields.finish();
  if (sealed.key_id != sealed.public_key.key_id()) fields.fail("keyid is not that of publicKey", "keyid");
  file.erase("ciphertext");
  sealed.associated = canon::canonical(file);
  return sealed;
}

PrivateKey open_sealed(const SealedKey& sealed, const locked::Bytes& passphrase, const std::string& path) {
  const locked::Bytes secret = derive(passphrase, sealed.salt, sealed.opslimit, sealed.memlimit, path);
  locked::Bytes seed(kSeedBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(seed.data(), nullptr, nullptr, bytes(sealed.ciphertext),
                                                 sealed.ciphertext.size(), bytes(sealed.associated),
                                                 sealed.associated.size(), bytes(sealed.nonce), secret.data()) != 0) {
    throw Error(Code::key_unusable, "passphrase", fmt::format("wrong passphrase for {}, or the file was altered", path),
                path, "Give the passphrase that the key was made with, at the prompt or with --passphrase-file.");
  }
  PrivateKey key = PrivateKey::from_seed(std::move(seed));
  if (key.public_key() != sealed.public_key) {
    throw Error(Code::key_unusable, "format", "the secret half of the key does not belong to its public half", path);
  }
  return key;
}

}  // namespace stella::trust
