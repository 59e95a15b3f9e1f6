// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "bundles/canon/digest.hpp"
#include "bundles/trust/key.hpp"
#include "bundles/trust/pem.hpp"

namespace stella::trust {
namespace {

using namespace std::string_view_literals;

// SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING (0 unused bits, 32 bytes) }: RFC 8410 section 4.
constexpr auto kSpkiPrefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;
constexpr std::size_t kSpkiBytes = 44;
constexpr auto kSshType = "ssh-ed25519"sv;

std::string_view view(const std::array<std::uint8_t, 32>& raw) {
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

std::string with_length(std::string_view bytes) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((bytes.size() >> shift) & 0xffU);
  return out.append(bytes);
}

[[noreturn]] void refuse(fault::Code code, const std::string& what, const std::string& at) {
  throw fault::Error(code, "key", what, at,
                     "Use the line or file that `stella key new` or `openssl pkey -pubout` writes for an Ed25519 key.");
}

}  // namespace

std::string PublicKey::spki() const {
  return std::string(kSpkiPrefix).append(view(raw));
}

std::string PublicKey::line() const {
  return canon::to_base64(spki());
}

std::string PublicKey::pem() const {
  return write_pem("PUBLIC KEY", spki());
}

std::string PublicKey::key_id() const {
  return canon::sha256(spki()).hex();
}

std::string PublicKey::ssh_wire() const {
  return with_length(kSshType) + with_length(view(raw));
}

std::string PublicKey::ssh_line(std::string_view principal, std::string_view name_space) const {
  return fmt::format("{} namespaces=\"{}\" {} {}", principal, name_space, kSshType, canon::to_base64(ssh_wire()));
}

std::string PublicKey::vkey_hash(std::string_view name) const {
  const canon::Digest digest = canon::sha256(std::string(name) + "\n\x01" + std::string(view(raw)));
  return {digest.bytes.begin(), digest.bytes.begin() + 4};
}

std::string PublicKey::vkey(std::string_view name) const {
  const std::string hash = vkey_hash(name);
  return fmt::format("{}+{}+{}", name, canon::to_hex({reinterpret_cast<const std::uint8_t*>(hash.data()), hash.size()}),
                     canon::to_base64("\x01" + std::string(view(raw))));
}

PublicKey parse_public_raw(std::string_view raw, fault::Code code, const std::string& at) {
  PublicKey key;
  if (raw.size() != key.raw.size())
    refuse(code, fmt::format("a key of {} bytes is not an Ed25519 key", raw.size()), at);
  std::copy(raw.begin(), raw.end(), key.raw.begin());
  // Identity, small and mixed order, and second spellings of a point: under such keys libraries disagree.
  if (crypto_core_ed25519_is_valid_point(key.raw.data()) != 1) {
    refuse(code, "this is not a sound Ed25519 key: its point is outside the main group", at);
  }
  return key;
}

PublicKey parse_public_der(std::string_view der, fault::Code code, const std::string& at) {
  if (der.size() != kSpkiBytes || !der.starts_with(kSpkiPrefix)) {
    refuse(code, fmt::format("{} bytes that are not the SPKI of an Ed25519 key", der.size()), at);
  }
  return parse_public_raw(der.substr(kSpkiPrefix.size()), code, at);
}

PublicKey parse_public_line(std::string_view base64, fault::Code code, const std::string& at) {
  if (base64.size() > 4096) refuse(code, "a public key is one base64 line of 60 characters", at);
  std::string der;
  try {
    der = canon::from_base64(base64, code, at);
  } catch (const fault::Error&) {
    refuse(code, "a public key is one base64 line of 60 characters", at);
  }
  return parse_public_der(der, code, at);
}

PublicKey parse_public_pem(std::string_view pem, fault::Code code, const std::string& at) {
  const std::optional<std::string> der = find_pem("PUBLIC KEY", pem);
  if (!der) refuse(code, "this is not a PEM public key", at);
  return parse_public_der(*der, code, at);
}

}  // namespace stella::trust
