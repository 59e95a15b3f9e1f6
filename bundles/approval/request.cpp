// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/request.hpp"

#include <algorithm>
#include <set>

#include "bundles/approval/asked.hpp"
#include "bundles/approval/ledger.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

constexpr auto kMalformed = fault::Code::approval_malformed;
constexpr auto kMismatch = fault::Code::approval_mismatch;

// A statement of another kind is no damaged request: the contract names it a mismatch.
dsse::Statement statement_of(const dsse::Envelope& envelope, const std::string& at) {
  try {
    return dsse::parse_statement(envelope, kRequestType, kMalformed, at);
  } catch (const fault::Error& error) {
    if (error.reason() == "predicate-type") throw fault::Error(kMismatch, "predicate-type", error.what(), at);
    throw;
  }
}

site::Appliance signer_of(const Parcel& parcel, const site::Policy& trusted) {
  if (parcel.request.signatures.size() != 1)
    throw fault::Error(kMalformed, "envelope", "a request has exactly one signature", parcel.name);
  std::vector<trust::PublicKey> keys;
  for (const site::Appliance& each : trusted.appliances) keys.push_back(each.key);
  const dsse::EnvelopeSignature& signature = parcel.request.signatures.front();
  if (const auto found = dsse::find_signer(parcel.request, signature, keys)) {
    const site::Appliance& appliance = trusted.appliances[*found];
    if (!trusted.is_revoked(appliance.key)) return appliance;
    throw fault::Error(fault::Code::approval_signature, "unknown-signer",
                       "the key of appliance " + canon::printable(appliance.id) + " was revoked", parcel.name);
  }
  const bool named =
      std::ranges::any_of(keys, [&](const trust::PublicKey& key) { return key.key_id() == signature.key_id; });
  if (named)
    throw fault::Error(fault::Code::approval_signature, "signature",
                       "the request was altered after the appliance signed it", parcel.name);
  throw fault::Error(fault::Code::approval_signature, "unknown-signer",
                     "no appliance that the site policy lists signed this request", parcel.name);
}

void require(bool holds, std::string_view reason, const std::string& what, const std::string& at) {
  if (!holds) throw fault::Error(kMismatch, reason, what, at);
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

// What the appliance says for people to read must be what the plan's bytes say.
void require_review(const Asked& asked, const PlanView& plan, const std::string& at) {
  const auto same = [&](bool holds, const std::string& what) {
    require(holds, "review", "the request's " + what + " is not the plan's", at);
  };
  same(asked.tenant == plan.tenant, "tenant");
  same(asked.pack_name == plan.pack_name && asked.pack_version == plan.pack_version &&
           asked.pack_digest == plan.pack_digest,
       "pack");
  const PlanGate* gate = plan.find_gate(asked.gate);
  same(gate != nullptr, "gate");
  same(gate->threshold == asked.threshold && gate->roles == asked.roles, "threshold");
  std::set<PlanEndpoint> listed(asked.network.begin(), asked.network.end()),
      allowed(plan.allowed.begin(), plan.allowed.end());
  same(listed == allowed, "network list");
  same(sorted(asked.steps_released) == sorted(plan.released_by(asked.gate)), "list of released steps");
  std::vector<std::string> done_ids;
  for (const StepDone& done : asked.steps_done) done_ids.push_back(done.id);
  const Order order = plan.order(done_ids);
  for (const std::string& id : done_ids) same(order.graph.has(id), "list of finished steps");
  std::set<std::string> released;  // the turns of a map or loop count as one in the plan's list of secrets
  for (const std::string& id : asked.steps_released) released.insert(template_id(id));
  for (const PlanSecret& secret : plan.secrets) {
    const bool needed = std::ranges::any_of(secret.steps, [&](const std::string& id) { return released.contains(id); });
    const bool shown = std::ranges::any_of(asked.secrets, [&](const ReviewedSecret& each) {
      return each.name == secret.name && each.scope == secret.scope;
    });
    same(shown || !needed, "list of secrets");
  }
  for (const ReviewedSecret& each : asked.secrets)
    same(std::ranges::any_of(
             plan.secrets,
             [&](const PlanSecret& secret) { return each.name == secret.name && each.scope == secret.scope; }),
         "list of secrets");
}

void require_ledger(const Request& request, const std::string& at) {
  const Asked& asked = request.asked;
  require(static_cast<std::int64_t>(request.parcel.leaves.size()) == asked.ledger_size &&
              canon::merkle_root(request.parcel.leaves) == asked.ledger_root,
          "ledger", "the leaf hashes do not give the ledger's root", at);
  const std::string origin = ledger_origin(asked.appliance, asked.tenant);
  const Checkpoint checkpoint = verify_checkpoint(request.parcel.checkpoint, origin, std::span(&request.signer, 1), at);
  require(checkpoint.size == asked.ledger_size && checkpoint.root == asked.ledger_root, "ledger",
          "the checkpoint is not of the ledger that the request names", at);
}

site::Policy pinned_policy(const Parcel& parcel, const Asked& asked) {
  const dsse::Envelope envelope = dsse::parse(parcel.site, kMalformed, parcel.name + ".site");
  require(envelope.payload_type == dsse::kSiteType && canon::sha256(envelope.payload) == asked.policy_digest, "policy",
          "the policy in the request is not the one that it names", parcel.name);
  site::Policy policy = site::parse_policy(envelope.payload, parcel.name + ".site");
  require(policy.version == asked.policy_version, "policy",
          "the policy in the request has another version than it names", parcel.name);
  return policy;
}

}  // namespace

Request verify_request(Parcel parcel, const site::Policy& trusted) {
  const site::Appliance signer = signer_of(parcel, trusted);
  const dsse::Statement statement = statement_of(parcel.request, parcel.name);
  Request request;
  request.asked = read_asked(statement.predicate, "predicate");
  request.signer = signer.key;
  require(request.asked.appliance == signer.id && request.asked.appliance_key_id == signer.key.key_id(), "appliance",
          "the request names another appliance than the one that signed it", parcel.name);
  request.plan_hash = canon::sha256(parcel.plan);
  require(statement.subjects.size() == 1 && statement.subjects.front().name == "plan.json" &&
              statement.subjects.front().digest == request.plan_hash,
          "plan-hash", "the plan in the request is not the one that the appliance signed", parcel.name);
  request.plan = read_plan(parcel.plan, "plan.json");
  request.payload_digest = canon::sha256(parcel.request.payload);
  request.pinned = pinned_policy(parcel, request.asked);
  require_review(request.asked, request.plan, parcel.name);
  request.parcel = std::move(parcel);
  require_ledger(request, request.parcel.name);
  return request;
}

Request make_request(Draft draft, const trust::PrivateKey& appliance) {
  const dsse::Envelope site = dsse::parse(draft.site, kMalformed, "policy.dsse.json");
  const site::Policy policy = site::parse_policy(site.payload, "policy.dsse.json");
  Asked& asked = draft.asked;
  asked.appliance_key_id = appliance.public_key().key_id();
  asked.policy_version = policy.version;
  asked.policy_digest = canon::sha256(site.payload);
  const PlanView plan = read_plan(draft.plan, "plan.json");
  asked.steps_released = plan.released_by(asked.gate);
  asked.network = plan.allowed;
  asked.ledger_size = static_cast<std::int64_t>(draft.leaves.size());
  asked.ledger_root = canon::merkle_root(draft.leaves);
  const dsse::Statement statement{{{"plan.json", plan.hash}}, std::string(kRequestType), predicate_of(asked)};
  std::string leaves;
  for (const canon::Digest& leaf : draft.leaves) leaves.append(leaf.bytes.begin(), leaf.bytes.end());
  const canon::Json file = {
      {"schema", kRequestSchema},
      {"request", canon::parse_json(dsse::serialise(dsse::sign(statement, appliance)), kMalformed, "request")},
      {"plan", draft.plan},
      {"site", canon::parse_json(draft.site, kMalformed, "policy.dsse.json")},
      {"checkpoint", draft.checkpoint},
      {"leaves", canon::to_base64(leaves)}};
  return verify_request(read_parcel(canon::canonical(file), "REQ-" + gate_in_file_name(asked.gate) + "-" +
                                                                asked.request_id.substr(0, 8) + ".json"),
                        policy);
}

std::string gate_in_file_name(std::string_view gate) {
  std::string name(gate.substr(0, 100));
  for (char& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
          c == '-'))
      c = '_';
  return name;
}

std::string request_file_name(const Request& request) {
  return "REQ-" + gate_in_file_name(request.asked.gate) + "-" + request.short_id() + ".json";
}

}  // namespace stella::approval
