// SPDX-License-Identifier: Apache-2.0
// An approver's answer: one DSSE envelope, one signature, one person, one decision (contract section 10). Any thread.
//
// Statement: subjects `plan.json` and `request` (SHA-256 of the request's payload bytes), predicate {decision, comment,
// requestId, nonce, tenant, runId, attempt, gate, approver {name, keyid}, signedAt, displaySha256, seenCheckpoint}.
// Limits: file 128 KiB, comment 2,000 bytes. Checked in the order of docs/formats/approvals.md; the first failure is
// named.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/approval/request.hpp"

namespace stella::approval {

inline constexpr std::string_view kResponseType = "urn:stella:approval:v1";
inline constexpr std::uint64_t kMaxResponseBytes = std::uint64_t{128} << 10;
inline constexpr std::size_t kMaxCommentBytes = 2000;

enum class Decision { approved, rejected };
[[nodiscard]] std::string_view decision_name(Decision decision) noexcept;

struct SeenCheckpoint {
  std::int64_t size = 0;
  canon::Digest root;
};
struct Answer {  // the predicate and the two subjects
  Decision decision = Decision::approved;
  std::string comment, request_id, nonce, tenant, run, gate;
  int attempt = 1;
  std::string approver, approver_key_id;
  clock::Time signed_at{};
  canon::Digest display;
  SeenCheckpoint seen;
  canon::Digest plan_hash, request_digest;
};

// Strict outer form: size, JSON, base64, exactly one signature. ERR_APPROVAL_MALFORMED, reasons size, json, envelope.
[[nodiscard]] dsse::Envelope read_response(std::string_view text, const std::string& name);

struct Signed {  // a response whose signature verified under a key that the policies list
  Answer answer;
  trust::PublicKey key;
  canon::Digest digest;  // of the envelope's payload
};
// Key by trial over the approvers of all tenants and the revoked keys of every policy given, then the signature, then
// the payload. ERR_APPROVAL_SIGNATURE (unknown-signer; signature when the named key is listed and does not verify),
// ERR_APPROVAL_MISMATCH predicate-type, ERR_APPROVAL_MALFORMED (payload-type, json, statement, comment, decision).
[[nodiscard]] Signed verify_response(const dsse::Envelope& envelope, std::span<const site::Policy* const> policies,
                                     const std::string& name);
// Binds it to one request: ERR_APPROVAL_MISMATCH with reason tenant, run, attempt, gate, plan-hash, nonce, display,
// ledger.
void require_answers(const Signed& response, const Request& request);

struct Decided {
  Decision decision = Decision::approved;
  std::string comment, approver;  // the approver's name, as the policy has it
  clock::Time signed_at{};
};
[[nodiscard]] std::string make_response(const Request& request, const Decided& decided, const trust::PrivateKey& key);

[[nodiscard]] std::string response_file_name(const Request& request,
                                             const trust::PublicKey& key);  // RES-<gate>-<8>-<8>.json

}  // namespace stella::approval
