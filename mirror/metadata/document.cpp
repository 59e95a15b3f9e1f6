// SPDX-License-Identifier: Apache-2.0
#include "mirror/metadata/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bundles/canon/fields.hpp"

namespace stella::metadata {
namespace {

constexpr auto kCode = fault::Code::mirror_malformed;
constexpr std::size_t kMaxSignatures = 64;

// Where TUF's canonical JSON and RFC 8785 part ways is not taken at all.
void check_text(const std::string& text, const std::string& at) {
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20; })) {
    throw fault::Error(kCode, "json", "a string holds a control character", at);
  }
}

void check_same_form(const canon::Json& value, const std::string& at) {
  if (value.is_string()) return check_text(value.get_ref<const std::string&>(), at);
  if (value.is_number_float()) throw fault::Error(kCode, "json", "a number is not an integer", at);
  if (value.is_array()) {
    for (const canon::Json& item : value) check_same_form(item, at);
  }
  if (!value.is_object()) return;
  for (const auto& [key, item] : value.items()) {
    check_text(key, at);
    // UTF-8 begins with F0..F4 exactly outside the BMP, where UTF-16 order (RFC 8785) is not code point order.
    if (std::ranges::any_of(key, [](unsigned char c) { return c >= 0xF0; })) {
      throw fault::Error(kCode, "json", "a member's name lies outside the BMP", at);
    }
    check_same_form(item, at);
  }
}

DocumentSignature parse_signature(const canon::Json& object, const std::string& at) {
  canon::Fields fields(object, kCode, "json", at);
  DocumentSignature signature;
  signature.key_id = fields.text("keyid", 128);
  const std::vector<std::uint8_t> bytes = canon::from_hex(fields.text("sig", 8192), kCode, at);
  signature.bytes.assign(bytes.begin(), bytes.end());
  fields.finish();
  return signature;
}

}  // namespace

Document parse_document(std::string text, const std::string& at, std::uint64_t max_bytes) {
  const canon::Json whole = canon::parse_json(text, kCode, at, max_bytes);
  canon::Fields fields(whole, kCode, "json", at);
  Document document;
  for (const canon::Json& item : fields.array("signatures", kMaxSignatures)) {
    document.signatures.push_back(parse_signature(item, at + ".signatures"));
  }
  document.part = fields.object("signed");
  fields.finish();
  check_same_form(document.part, at);
  document.canonical = canon::canonical(document.part);
  document.text = std::move(text);
  return document;
}

int count_signers(const Document& document, const RoleKeys& role, const Keys& keys) {
  std::set<trust::PublicKey> signers;
  for (const DocumentSignature& signature : document.signatures) {
    const bool listed = std::ranges::find(role.key_ids, signature.key_id) != role.key_ids.end();
    const auto key = keys.find(signature.key_id);
    if (listed && key != keys.end() && trust::verify(key->second, document.canonical, signature.bytes)) {
      signers.insert(key->second);
    }
  }
  return static_cast<int>(signers.size());
}

void require_signed(const Document& document, const RoleKeys& role, const Keys& keys, const std::string& at) {
  const int have = count_signers(document, role, keys);
  if (have >= role.threshold) return;
  throw fault::Error(fault::Code::mirror_signature, "threshold",
                     fmt::format("{} has {} of {} signatures of the keys trusted for it", at, have, role.threshold),
                     at);
}

canon::Json key_object(const trust::PublicKey& key) {
  return {{"keytype", "ed25519"}, {"scheme", "ed25519"}, {"keyval", {{"public", canon::to_hex(key.raw)}}}};
}

std::string key_id(const trust::PublicKey& key) {
  return canon::sha256(canon::canonical(key_object(key))).hex();
}

std::string sign_document(const canon::Json& part, std::span<const trust::PrivateKey* const> keys) {
  const std::string message = canon::canonical(part);
  canon::Json signatures = canon::Json::array();
  for (const trust::PrivateKey* key : keys) {
    signatures.push_back({{"keyid", key_id(key->public_key())}, {"sig", canon::to_hex(key->sign(message))}});
  }
  return canon::canonical({{"signatures", signatures}, {"signed", part}});
}

}  // namespace stella::metadata
