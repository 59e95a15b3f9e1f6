// SPDX-License-Identifier: Apache-2.0
#include "bundles/dsse/envelope.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::dsse {
namespace {

constexpr std::size_t kMaxPayload = std::size_t{16} << 20, kMaxText = std::size_t{24} << 20, kMaxSignatures = 64;
constexpr std::size_t kSignatureBytes = 64;

EnvelopeSignature make_signature(const Envelope& envelope, const trust::PrivateKey& key) {
  const trust::Signature raw = key.sign(pae(envelope.payload_type, envelope.payload));
  return {key.public_key().key_id(), std::string(raw.begin(), raw.end())};
}

EnvelopeSignature parse_signature(const canon::Json& item, fault::Code malformed, const std::string& at) {
  canon::Fields fields(item, malformed, "envelope", at);
  EnvelopeSignature signature;
  signature.key_id = fields.maybe_text("keyid", 256).value_or("");
  signature.bytes = canon::from_base64(fields.text("sig", 256), malformed, at + ".sig");
  fields.finish();
  if (signature.bytes.size() != kSignatureBytes) fields.fail("a signature has 64 bytes", "sig");
  return signature;
}

}  // namespace

std::string pae(std::string_view payload_type, std::string_view payload) {
  std::string out = fmt::format("DSSEv1 {} {} {} ", payload_type.size(), payload_type, payload.size());
  return out.append(payload);
}

Envelope sign(std::string_view payload_type, std::string payload, const trust::PrivateKey& key) {
  Envelope envelope{std::string(payload_type), std::move(payload), {}};
  envelope.signatures.push_back(make_signature(envelope, key));
  return envelope;
}

void add_signature(Envelope& envelope, const trust::PrivateKey& key) {
  const std::string message = pae(envelope.payload_type, envelope.payload);
  std::erase_if(envelope.signatures, [&](const EnvelopeSignature& signature) {
    return trust::verify(key.public_key(), message, signature.bytes);  // by trial: a key id is only a hint
  });
  envelope.signatures.push_back(make_signature(envelope, key));
}

std::string serialise(const Envelope& envelope) {
  canon::Json signatures = canon::Json::array();
  for (const EnvelopeSignature& signature : envelope.signatures) {
    signatures.push_back({{"keyid", signature.key_id}, {"sig", canon::to_base64(signature.bytes)}});
  }
  return canon::canonical({{"payloadType", envelope.payload_type},
                           {"payload", canon::to_base64(envelope.payload)},
                           {"signatures", std::move(signatures)}});
}

Envelope parse(std::string_view text, fault::Code malformed, const std::string& at) {
  const canon::Json object = canon::parse_json(text, malformed, at, kMaxText);
  canon::Fields fields(object, malformed, "envelope", at);
  Envelope envelope;
  envelope.payload_type = fields.text("payloadType", 256);
  envelope.payload = canon::from_base64(fields.text("payload", kMaxText), malformed, at + ".payload");
  const canon::Json& signatures = fields.array("signatures", kMaxSignatures);
  fields.finish();
  if (envelope.payload.size() > kMaxPayload) fields.fail("the payload has more than 16 MiB", "payload");
  if (signatures.empty()) fields.fail("there is no signature", "signatures");
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    envelope.signatures.push_back(parse_signature(signatures[i], malformed, fmt::format("{}.signatures[{}]", at, i)));
  }
  return envelope;
}

std::optional<std::size_t> find_signer(const Envelope& envelope, const EnvelopeSignature& signature,
                                       std::span<const trust::PublicKey> keys) {
  const std::string message = pae(envelope.payload_type, envelope.payload);
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const trust::PublicKey& key) {
    return trust::verify(key, message, signature.bytes);
  });
  if (found == keys.end()) return std::nullopt;
  return static_cast<std::size_t>(found - keys.begin());
}

}  // namespace stella::dsse
