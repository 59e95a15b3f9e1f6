// SPDX-License-Identifier: Apache-2.0
#include "bundles/sshsig/signature.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include "bundles/canon/digest.hpp"

namespace stella::sshsig {
namespace {

constexpr std::string_view kMagic = "SSHSIG", kHash = "sha512", kType = "ssh-ed25519";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----\n", kEnd = "-----END SSH SIGNATURE-----\n";
constexpr std::size_t kLine = 70, kMaxArmour = 4096, kMaxNameSpace = 64, kSignatureBytes = 64;

std::string number(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xffU);
  return out;
}

std::string field(std::string_view bytes) {
  return number(static_cast<std::uint32_t>(bytes.size())).append(bytes);
}

// What is really signed: PROTOCOL.sshsig section 3.
std::string signed_data(std::string_view name_space, std::string_view message) {
  std::string hash(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(message.data()), message.size());
  return std::string(kMagic) + field(name_space) + field("") + field(kHash) + field(hash);
}

// Takes fields off the front of a blob; every length is checked before it is believed.
class Blob {
 public:
  Blob(std::string_view rest, fault::Code malformed, const std::string& at)
      : rest_(rest), malformed_(malformed), at_(at) {}

  std::string_view take(std::size_t size) {
    if (size > rest_.size()) fail("it ends too early");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint32_t take_number() {
    std::uint32_t value = 0;
    for (const char byte : take(4)) value = value << 8U | static_cast<std::uint8_t>(byte);
    return value;
  }
  std::string_view take_field() { return take(take_number()); }
  void expect(std::string_view got, std::string_view wanted, std::string_view what) {
    if (got != wanted) fail(fmt::format("its {} is not `{}`", what, wanted));
  }
  void finish() {
    if (!rest_.empty()) fail("bytes follow its end");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw fault::Error(malformed_, "sshsig", "this is not an SSH signature of ours: " + what, at_);
  }

 private:
  std::string_view rest_;
  fault::Code malformed_;
  const std::string& at_;
};

std::string strip_armour(std::string_view armour, fault::Code malformed, const std::string& at) {
  const Blob judge({}, malformed, at);
  if (armour.size() > kMaxArmour || !armour.starts_with(kBegin) || !armour.ends_with(kEnd)) {
    judge.fail("its first or last line is missing");
  }
  armour.remove_prefix(kBegin.size());
  std::string base64;
  while (armour != kEnd) {
    const std::size_t end = armour.find('\n');
    if (end == std::string_view::npos || end > kLine) judge.fail("a line is too long");
    base64 += armour.substr(0, end);
    armour.remove_prefix(end + 1);
  }
  return canon::from_base64(base64, malformed, at);
}

trust::PublicKey parse_key(std::string_view wire, fault::Code malformed, const std::string& at) {
  Blob blob(wire, malformed, at);
  blob.expect(blob.take_field(), kType, "key type");
  const std::string_view raw = blob.take_field();
  blob.finish();
  return trust::parse_public_raw(raw, malformed, at);
}

}  // namespace

std::string sign(const trust::PrivateKey& key, std::string_view name_space, std::string_view message) {
  const trust::Signature raw = key.sign(signed_data(name_space, message));
  const std::string signature = field(kType) + field({reinterpret_cast<const char*>(raw.data()), raw.size()});
  const std::string base64 = canon::to_base64(std::string(kMagic) + number(1) + field(key.public_key().ssh_wire()) +
                                              field(name_space) + field("") + field(kHash) + field(signature));
  std::string out(kBegin);
  for (std::size_t from = 0; from < base64.size(); from += kLine) out.append(base64.substr(from, kLine)) += '\n';
  return out.append(kEnd);
}

Armoured parse(std::string_view armour, fault::Code malformed, const std::string& at) {
  const std::string bytes = strip_armour(armour, malformed, at);
  Blob blob(bytes, malformed, at);
  blob.expect(blob.take(kMagic.size()), kMagic, "first word");
  if (blob.take_number() != 1) blob.fail("its version is not 1");
  Armoured signature;
  signature.key = parse_key(blob.take_field(), malformed, at);
  signature.name_space = blob.take_field();
  if (signature.name_space.empty() || signature.name_space.size() > kMaxNameSpace) blob.fail("its name space");
  (void)blob.take_field();  // reserved: PROTOCOL.sshsig tells verifiers to ignore it, but it is signed as empty
  blob.expect(blob.take_field(), kHash, "hash");
  Blob inner(blob.take_field(), malformed, at);
  inner.expect(inner.take_field(), kType, "signature type");
  signature.bytes = inner.take_field();
  inner.finish();
  blob.finish();
  if (signature.bytes.size() != kSignatureBytes) blob.fail("its signature has not 64 bytes");
  return signature;
}

bool is_signed_by(const Armoured& signature, const trust::PublicKey& key, std::string_view name_space,
                  std::string_view message) {
  return signature.key == key && signature.name_space == name_space &&
         trust::verify(key, signed_data(name_space, message), signature.bytes);
}

}  // namespace stella::sshsig
