// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/response.hpp"

#include <algorithm>

#include "bundles/approval/review.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

using canon::Json;

constexpr auto kMalformed = fault::Code::approval_malformed;
constexpr auto kMismatch = fault::Code::approval_mismatch;

dsse::Statement statement_of(const dsse::Envelope& envelope, const std::string& at) {
  try {
    return dsse::parse_statement(envelope, kResponseType, kMalformed, at);
  } catch (const fault::Error& error) {
    if (error.reason() == "predicate-type") throw fault::Error(kMismatch, "predicate-type", error.what(), at);
    throw;
  }
}

std::vector<trust::PublicKey> known_keys(std::span<const site::Policy* const> policies) {
  std::vector<trust::PublicKey> keys;
  for (const site::Policy* policy : policies) {
    for (const site::Tenant& tenant : policy->tenants)
      for (const site::Approver& approver : tenant.approvers)
        for (const site::ApproverKey& each : approver.keys) keys.push_back(each.key);
    for (const site::Revoked& each : policy->revoked) keys.push_back(each.key);
  }
  return keys;
}

std::string hex_text(canon::Fields& fields, std::string_view name, std::size_t digits) {
  const std::string text = fields.text(name, 100);
  if (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    fields.fail("must be " + std::to_string(digits) + " lower-case hex digits", name);
  return text;
}

Answer read_answer(const dsse::Statement& statement, const std::string& at) {
  Answer answer;
  if (statement.subjects.size() != 2 || statement.subjects[0].name != "plan.json" ||
      statement.subjects[1].name != "request")
    throw fault::Error(kMalformed, "statement", "a response has the subjects plan.json and request", at);
  answer.plan_hash = statement.subjects[0].digest;
  answer.request_digest = statement.subjects[1].digest;
  canon::Fields fields(statement.predicate, kMalformed, "statement", "predicate");
  answer.decision =
      fields.choice("decision", {"approved", "rejected"}) == "approved" ? Decision::approved : Decision::rejected;
  answer.comment = fields.text("comment", kMaxCommentBytes);
  answer.request_id = hex_text(fields, "requestId", 32);
  answer.nonce = hex_text(fields, "nonce", 64);
  answer.tenant = fields.text("tenant", 200);
  answer.run = fields.text("runId", 200);
  answer.attempt = static_cast<int>(fields.integer("attempt", 1, 1000000));
  answer.gate = fields.text("gate", 200);
  canon::Fields approver(fields.object("approver"), kMalformed, "statement", "predicate.approver");
  answer.approver = approver.text("name", 500);
  answer.approver_key_id = hex_text(approver, "keyid", 64);
  approver.finish();
  answer.signed_at = clock::parse_time(fields.text("signedAt", 40), kMalformed, "predicate.signedAt");
  answer.display = canon::parse_digest(fields.text("displaySha256", 100), kMalformed, "predicate.displaySha256");
  canon::Fields seen(fields.object("seenCheckpoint"), kMalformed, "statement", "predicate.seenCheckpoint");
  answer.seen.size = seen.integer("size", 0, std::int64_t{1} << 53);
  answer.seen.root = canon::parse_digest(seen.text("root", 100), kMalformed, "predicate.seenCheckpoint.root");
  seen.finish();
  fields.finish();
  return answer;
}

Json predicate_of(const Answer& answer) {
  return {{"decision", decision_name(answer.decision)},
          {"comment", answer.comment},
          {"requestId", answer.request_id},
          {"nonce", answer.nonce},
          {"tenant", answer.tenant},
          {"runId", answer.run},
          {"attempt", answer.attempt},
          {"gate", answer.gate},
          {"approver", {{"name", answer.approver}, {"keyid", answer.approver_key_id}}},
          {"signedAt", clock::format(answer.signed_at)},
          {"displaySha256", answer.display.tagged()},
          {"seenCheckpoint", {{"size", answer.seen.size}, {"root", answer.seen.root.tagged()}}}};
}

}  // namespace

std::string_view decision_name(Decision decision) noexcept {
  return decision == Decision::approved ? "approved" : "rejected";
}

dsse::Envelope read_response(std::string_view text, const std::string& name) {
  if (text.size() > kMaxResponseBytes)
    throw fault::Error(kMalformed, "size", "a response has at most " + std::to_string(kMaxResponseBytes) + " bytes",
                       name);
  dsse::Envelope envelope = dsse::parse(text, kMalformed, name);
  if (envelope.signatures.size() != 1)
    throw fault::Error(kMalformed, "envelope", "a response has exactly one signature", name);
  return envelope;
}

Signed verify_response(const dsse::Envelope& envelope, std::span<const site::Policy* const> policies,
                       const std::string& name) {
  const dsse::EnvelopeSignature& signature = envelope.signatures.front();
  const std::vector<trust::PublicKey> keys = known_keys(policies);
  const auto found = dsse::find_signer(envelope, signature, keys);
  if (!found &&
      std::ranges::any_of(keys, [&](const trust::PublicKey& key) { return key.key_id() == signature.key_id; }))
    throw fault::Error(fault::Code::approval_signature, "signature", "the response was altered after it was signed",
                       name);
  if (!found)
    throw fault::Error(fault::Code::approval_signature, "unknown-signer",
                       "no approver that the site policy lists signed this response", name);
  const dsse::Statement statement = statement_of(envelope, name);
  Signed read{read_answer(statement, name), keys[*found], canon::sha256(envelope.payload)};
  if (read.answer.approver_key_id != read.key.key_id())
    throw fault::Error(kMalformed, "statement", "the response names another key than the one that signed it", name);
  return read;
}

void require_answers(const Signed& response, const Request& request) {
  const Answer& answer = response.answer;
  const Asked& asked = request.asked;
  const auto require = [&](bool holds, std::string_view reason, const std::string& what) {
    if (!holds) throw fault::Error(kMismatch, reason, what, "request " + asked.request_id);
  };
  require(
      answer.tenant == asked.tenant, "tenant",
      "the response is for tenant " + canon::printable(answer.tenant) + ", the request is of tenant " + asked.tenant);
  require(answer.run == asked.run, "run",
          "the response is for run " + canon::printable(answer.run) + ", the request is of run " + asked.run);
  require(answer.attempt == asked.attempt, "attempt",
          "the response is for attempt " + std::to_string(answer.attempt) + ", the request is of attempt " +
              std::to_string(asked.attempt));
  require(answer.gate == asked.gate, "gate",
          "the response is for gate " + canon::printable(answer.gate) + ", the request is of gate " + asked.gate);
  require(answer.plan_hash == request.plan_hash, "plan-hash",
          "plan " + answer.plan_hash.tagged() + " was signed, " + request.plan_hash.tagged() + " waits");
  require(answer.nonce == asked.nonce && answer.request_id == asked.request_id &&
              answer.request_digest == request.payload_digest,
          "nonce", "the response answers another request for this gate");
  require(answer.display == display_digest(request), "display",
          "what the approver was shown is not what this request says");
  require(answer.seen.size == asked.ledger_size && answer.seen.root == asked.ledger_root, "ledger",
          "the approver saw another ledger than the request's");
}

std::string make_response(const Request& request, const Decided& decided, const trust::PrivateKey& key) {
  if (decided.comment.size() > kMaxCommentBytes)
    throw fault::Error(fault::Code::usage, "comment",
                       "a comment has at most " + std::to_string(kMaxCommentBytes) + " bytes", "--comment");
  const Asked& asked = request.asked;
  const Answer answer{.decision = decided.decision,
                      .comment = decided.comment,
                      .request_id = asked.request_id,
                      .nonce = asked.nonce,
                      .tenant = asked.tenant,
                      .run = asked.run,
                      .gate = asked.gate,
                      .attempt = asked.attempt,
                      .approver = decided.approver,
                      .approver_key_id = key.public_key().key_id(),
                      .signed_at = decided.signed_at,
                      .display = display_digest(request),
                      .seen = {asked.ledger_size, asked.ledger_root},
                      .plan_hash = {},
                      .request_digest = {}};
  const dsse::Statement statement{{{"plan.json", request.plan_hash}, {"request", request.payload_digest}},
                                  std::string(kResponseType),
                                  predicate_of(answer)};
  return dsse::serialise(dsse::sign(statement, key));
}

std::string response_file_name(const Request& request, const trust::PublicKey& key) {
  std::string name = request_file_name(request);
  return "RES" + name.substr(3, name.size() - 3 - 5) + "-" + key.key_id().substr(0, 8) + ".json";
}

}  // namespace stella::approval
