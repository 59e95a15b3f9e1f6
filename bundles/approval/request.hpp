// SPDX-License-Identifier: Apache-2.0
// An approval request: what an appliance asks, everything that the answer is bound to, and the file it travels in
// (contract section 10). Any thread.
//
// File, at most 64 MiB: {"schema":"stella.approval-request.v1","request":DSSE,"plan":"<RFC 8785 text>","site":DSSE,
//   "checkpoint":"<C2SP note>","leaves":"<base64 of 32-byte leaf hashes>"}
// read_parcel -> Parcel (parsed, nothing is believed) -> verify_request -> Request (signed by a listed appliance, and
// all its parts agree: plan hash, pinned policy, ledger size and root, review against the plan's bytes).
// Errors: ERR_APPROVAL_MALFORMED (json, schema, envelope, statement, plan, leaves), ERR_APPROVAL_SIGNATURE
// (unknown-signer, signature), ERR_APPROVAL_MISMATCH (predicate-type, plan-hash, policy, review, ledger, appliance).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundles/approval/plan_view.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/clock/time.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/site/policy.hpp"
#include "bundles/trust/key.hpp"

namespace stella::approval {

inline constexpr std::string_view kRequestSchema = "stella.approval-request.v1";
inline constexpr std::string_view kRequestType = "urn:stella:approval-request:v1";
inline constexpr std::uint64_t kMaxRequestBytes = std::uint64_t{64} << 20;

struct SignedBy {
  std::string name, key_id;
};
struct ReviewedSecret {
  std::string name, scope;
  std::optional<std::int64_t> version;  // nothing while the vault is sealed
};
struct StepDone {
  std::string id, state;  // succeeded, continued (it failed and the pack goes on) or skipped
  std::int64_t exit = 0;
  std::optional<canon::Digest> log;  // of the redacted log
};
struct Witnessed {  // what was there when it was asked, security.md rule 4
  std::int64_t journal_seq = 0;
  std::string journal_head;  // hex, as in the journal's `prev`
  canon::Digest work, artifacts, outputs;
};

// The predicate, field by field. Names of members in JSON: contract section 10.
struct Asked {
  std::string request_id, nonce;          // 32 and 64 hex digits
  std::optional<std::string> supersedes;  // the request id it replaces
  std::string appliance, appliance_key_id;
  std::string home_kind;  // personal | service
  std::string home_mark;  // sha256:HEX, security.md rule 12
  std::string tenant, run;
  int attempt = 1;
  std::string requested_by;             // who asked for this attempt
  std::vector<std::string> requesters;  // whoever submitted, resumed or extended the run: none of them may answer
  std::string pack_name, pack_version;
  canon::Digest pack_digest;
  std::vector<SignedBy> publishers;
  std::string gate;
  int threshold = 1;
  std::map<std::string, int> roles;
  std::int64_t policy_version = 0;
  canon::Digest policy_digest;
  std::string stella_version;
  canon::Digest stella_digest;
  std::vector<ReviewedSecret> secrets;
  std::vector<PlanEndpoint> network;
  std::vector<StepDone> steps_done;
  std::vector<std::string> steps_released;
  Witnessed state;
  clock::Time issued_at{}, expires_at{};
  std::int64_t ledger_size = 0;
  canon::Digest ledger_root;
};

struct Parcel {       // the file's parts, parsed strictly, nothing verified
  std::string name;   // for messages
  std::string bytes;  // the whole file
  dsse::Envelope request;
  std::string plan;
  std::string site;  // the policy's envelope, as text
  std::string checkpoint;
  std::vector<canon::Digest> leaves;
};
[[nodiscard]] Parcel read_parcel(std::string text, const std::string& name);

// Only verify_request and make_request give one.
struct Request {
  Asked asked;
  Parcel parcel;
  PlanView plan;
  canon::Digest plan_hash;
  canon::Digest payload_digest;  // SHA-256 of the signed payload: what responses are bound to
  site::Policy pinned;           // the policy that travelled with it; its digest is the one signed
  trust::PublicKey signer;
  [[nodiscard]] std::string short_id() const { return asked.request_id.substr(0, 8); }
};
// `trusted` lists the appliances that may ask: the pinned policy after site::verify_policy (desk, auditor), or the
// home's applied one (appliance). The policy inside must be the one whose digest is signed. A revoked appliance key
// counts for nothing.
[[nodiscard]] Request verify_request(Parcel parcel, const site::Policy& trusted);

struct Draft {
  Asked asked;       // appliance_key_id, policy_*, ledger_*, network and steps_released are filled in here
  std::string plan;  // canonical bytes
  std::string site;  // envelope text
  std::string checkpoint;
  std::vector<canon::Digest> leaves;
};
// Signs and serialises; the result went through verify_request, so that what goes out is what comes in.
[[nodiscard]] Request make_request(Draft draft, const trust::PrivateKey& appliance);

// A gate's id as part of a file's name, for media and shells: what is not [A-Za-z0-9._-] becomes `_`, at most 100
// bytes.
[[nodiscard]] std::string gate_in_file_name(std::string_view gate);
[[nodiscard]] std::string request_file_name(const Request& request);  // REQ-<gate>-<8>.json

}  // namespace stella::approval
