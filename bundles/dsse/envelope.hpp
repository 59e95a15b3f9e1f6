// SPDX-License-Identifier: Apache-2.0
// DSSE envelopes and the in-toto Statements in them. Any thread.
//
// Shape: {"payloadType": str, "payload": base64, "signatures": [{"keyid": str, "sig": base64}, ...]}
// Limits: payload <= 16 MiB, 1..64 signatures. Strict: canonical standard base64, no unknown members, no duplicates.
// keyid is a hint and never decides. Source: DSSE v1.0.2 protocol.md; in-toto Statement v1.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/canon/digest.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/trust/key.hpp"

namespace stella::dsse {

struct EnvelopeSignature {
  std::string key_id;  // hex, may be empty
  std::string bytes;   // 64 raw bytes
};
struct Envelope {
  std::string payload_type;
  std::string payload;
  std::vector<EnvelopeSignature> signatures;
};

inline constexpr std::string_view kStatementType = "application/vnd.in-toto+json";
inline constexpr std::string_view kSiteType = "application/vnd.stella.site.v1+json";

[[nodiscard]] std::string pae(std::string_view payload_type, std::string_view payload);
[[nodiscard]] Envelope sign(std::string_view payload_type, std::string payload, const trust::PrivateKey& key);
void add_signature(Envelope& envelope, const trust::PrivateKey& key);  // replaces one by the same key
[[nodiscard]] std::string serialise(const Envelope& envelope);         // RFC 8785 bytes, no newline
// Strict; throws `malformed` (reason `envelope`).
[[nodiscard]] Envelope parse(std::string_view text, fault::Code malformed, const std::string& at);
// The key among `keys` that verifies this signature over the envelope, by trial; nullopt when none does.
[[nodiscard]] std::optional<std::size_t> find_signer(const Envelope& envelope, const EnvelopeSignature& signature,
                                                     std::span<const trust::PublicKey> keys);

struct Subject {
  std::string name;
  canon::Digest digest;
};
struct Statement {
  std::vector<Subject> subjects;
  std::string predicate_type;
  canon::Json predicate;
};
[[nodiscard]] std::string serialise(const Statement& statement);  // RFC 8785 payload bytes
[[nodiscard]] Envelope sign(const Statement& statement, const trust::PrivateKey& key);
// Checks payloadType, one signature only, predicateType, then parses. Call after the signature was verified where
// the contract says so. Throws `malformed` (reason `envelope`, `payload-type`, `predicate-type`, `statement`).
[[nodiscard]] Statement parse_statement(const Envelope& envelope, std::string_view predicate_type,
                                        fault::Code malformed, const std::string& at);

}  // namespace stella::dsse
