// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/asked.hpp"

#include <limits>

#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

using canon::Json;

constexpr auto kCode = fault::Code::approval_malformed;
constexpr const char* kReason = "statement";
constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

canon::Fields fields_of(const Json& node, const std::string& at) {
  return {node, kCode, kReason, at};
}

canon::Digest digest(canon::Fields& fields, std::string_view name, const std::string& at) {
  return canon::parse_digest(fields.text(name), kCode, at + "." + std::string(name));
}

std::string hex_text(canon::Fields& fields, std::string_view name, std::size_t digits) {
  const std::string text = fields.text(name);
  if (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    fields.fail("must be " + std::to_string(digits) + " lower-case hex digits", name);
  return text;
}

std::optional<std::string> maybe_null(canon::Fields& fields, std::string_view name, std::size_t digits) {
  return fields.any(name).is_null() ? std::nullopt : std::optional(hex_text(fields, name, digits));
}

Json review_json(const Asked& asked) {
  Json secrets = Json::array(), network = Json::array(), done = Json::array();
  for (const ReviewedSecret& each : asked.secrets)
    secrets.push_back(
        {{"name", each.name}, {"scope", each.scope}, {"version", each.version ? Json(*each.version) : Json()}});
  for (const PlanEndpoint& each : asked.network)
    network.push_back({{"host", each.host}, {"address", each.address}, {"port", each.port}});
  for (const StepDone& each : asked.steps_done)
    done.push_back({{"id", each.id},
                    {"state", each.state},
                    {"exit", each.exit},
                    {"log", each.log ? Json(each.log->tagged()) : Json()}});
  return {{"secrets", secrets}, {"network", network}, {"stepsDone", done}, {"stepsReleased", asked.steps_released}};
}

Json run_json(const Asked& asked) {
  Json publishers = Json::array();
  for (const SignedBy& each : asked.publishers) publishers.push_back({{"name", each.name}, {"keyid", each.key_id}});
  return {{"id", asked.run},
          {"attempt", asked.attempt},
          {"requestedBy", asked.requested_by},
          {"requesters", asked.requesters},
          {"pack",
           {{"name", asked.pack_name},
            {"version", asked.pack_version},
            {"digest", asked.pack_digest.tagged()},
            {"publishers", publishers}}}};
}

void read_run(Asked& asked, const Json& node, const std::string& at) {
  canon::Fields run = fields_of(node, at);
  asked.run = run.text("id", 200);
  asked.attempt = static_cast<int>(run.integer("attempt", 1, 1000000));
  asked.requested_by = run.text("requestedBy", 500);
  asked.requesters = run.texts("requesters");
  canon::Fields pack = fields_of(run.object("pack"), at + ".pack");
  asked.pack_name = pack.text("name", 200);
  asked.pack_version = pack.text("version", 200);
  asked.pack_digest = digest(pack, "digest", at + ".pack");
  for (const Json& each : pack.array("publishers", 64)) {
    canon::Fields publisher = fields_of(each, at + ".pack.publishers");
    asked.publishers.push_back({publisher.text("name", 500), hex_text(publisher, "keyid", 64)});
    publisher.finish();
  }
  pack.finish();
  run.finish();
}

void read_review(Asked& asked, const Json& node, const std::string& at) {
  canon::Fields review = fields_of(node, at);
  for (const Json& each : review.array("secrets", 1000)) {
    canon::Fields secret = fields_of(each, at + ".secrets");
    ReviewedSecret read{secret.text("name", 200), secret.text("scope", 200), std::nullopt};
    if (!secret.any("version").is_null()) read.version = secret.integer("version", 1, kMaxInteger);
    secret.finish();
    asked.secrets.push_back(std::move(read));
  }
  for (const Json& each : review.array("network", 10000)) {
    canon::Fields endpoint = fields_of(each, at + ".network");
    asked.network.push_back({endpoint.text("host", 300), endpoint.text("address", 100),
                             static_cast<int>(endpoint.integer("port", 1, 65535))});
    endpoint.finish();
  }
  for (const Json& each : review.array("stepsDone", 100000)) {
    canon::Fields done = fields_of(each, at + ".stepsDone");
    StepDone read{done.text("id", 500), done.choice("state", {"succeeded", "continued", "skipped"}),
                  done.integer("exit", -1000, 1000), std::nullopt};
    if (!done.any("log").is_null()) read.log = digest(done, "log", at + ".stepsDone");
    done.finish();
    asked.steps_done.push_back(std::move(read));
  }
  asked.steps_released = review.texts("stepsReleased");
  review.finish();
}

void read_state(Asked& asked, const Json& node, const std::string& at) {
  canon::Fields state = fields_of(node, at);
  asked.state.journal_seq = state.integer("journalSeq", 0, kMaxInteger);
  asked.state.journal_head = hex_text(state, "journalHead", 64);
  asked.state.work = digest(state, "work", at);
  asked.state.artifacts = digest(state, "artifacts", at);
  asked.state.outputs = digest(state, "outputs", at);
  state.finish();
}

void read_who(Asked& asked, canon::Fields& top, const std::string& at) {
  canon::Fields appliance = fields_of(top.object("appliance"), at + ".appliance");
  asked.appliance = appliance.text("id", 200);
  asked.appliance_key_id = hex_text(appliance, "keyid", 64);
  appliance.finish();
  canon::Fields home = fields_of(top.object("home"), at + ".home");
  asked.home_kind = home.choice("kind", {"personal", "service"});
  asked.home_mark = digest(home, "mark", at + ".home").tagged();
  home.finish();
  canon::Fields policy = fields_of(top.object("policy"), at + ".policy");
  asked.policy_version = policy.integer("version", 1, kMaxInteger);
  asked.policy_digest = digest(policy, "digest", at + ".policy");
  policy.finish();
  canon::Fields stella = fields_of(top.object("stella"), at + ".stella");
  asked.stella_version = stella.text("version", 100);
  asked.stella_digest = digest(stella, "sha256", at + ".stella");
  stella.finish();
}

void read_gate(Asked& asked, canon::Fields& top, const std::string& at) {
  asked.gate = top.text("gate", 200);
  asked.threshold = static_cast<int>(top.integer("threshold", 1, 1000));
  const Json& roles = top.object("roles");
  canon::Fields each = fields_of(roles, at + ".roles");
  for (const auto& [role, count] : roles.items()) asked.roles[role] = static_cast<int>(each.integer(role, 1, 1000));
}

}  // namespace

Json predicate_of(const Asked& asked) {
  return {{"requestId", asked.request_id},
          {"nonce", asked.nonce},
          {"supersedes", asked.supersedes ? Json(*asked.supersedes) : Json()},
          {"appliance", {{"id", asked.appliance}, {"keyid", asked.appliance_key_id}}},
          {"home", {{"kind", asked.home_kind}, {"mark", asked.home_mark}}},
          {"tenant", asked.tenant},
          {"run", run_json(asked)},
          {"gate", asked.gate},
          {"threshold", asked.threshold},
          {"roles", Json(asked.roles)},
          {"policy", {{"version", asked.policy_version}, {"digest", asked.policy_digest.tagged()}}},
          {"stella", {{"version", asked.stella_version}, {"sha256", asked.stella_digest.tagged()}}},
          {"review", review_json(asked)},
          {"state",
           {{"journalSeq", asked.state.journal_seq},
            {"journalHead", asked.state.journal_head},
            {"work", asked.state.work.tagged()},
            {"artifacts", asked.state.artifacts.tagged()},
            {"outputs", asked.state.outputs.tagged()}}},
          {"issuedAt", clock::format(asked.issued_at)},
          {"expiresAt", clock::format(asked.expires_at)},
          {"ledger", {{"size", asked.ledger_size}, {"root", asked.ledger_root.tagged()}}}};
}

Asked read_asked(const Json& predicate, const std::string& at) {
  Asked asked;
  canon::Fields top = fields_of(predicate, at);
  asked.request_id = hex_text(top, "requestId", 32);
  asked.nonce = hex_text(top, "nonce", 64);
  asked.supersedes = maybe_null(top, "supersedes", 32);
  read_who(asked, top, at);
  asked.tenant = top.text("tenant", 200);
  read_run(asked, top.object("run"), at + ".run");
  read_gate(asked, top, at);
  read_review(asked, top.object("review"), at + ".review");
  read_state(asked, top.object("state"), at + ".state");
  asked.issued_at = clock::parse_time(top.text("issuedAt", 40), kCode, at + ".issuedAt");
  asked.expires_at = clock::parse_time(top.text("expiresAt", 40), kCode, at + ".expiresAt");
  canon::Fields ledger = fields_of(top.object("ledger"), at + ".ledger");
  asked.ledger_size = ledger.integer("size", 0, kMaxInteger);
  asked.ledger_root = digest(ledger, "root", at + ".ledger");
  ledger.finish();
  top.finish();
  return asked;
}

}  // namespace stella::approval
