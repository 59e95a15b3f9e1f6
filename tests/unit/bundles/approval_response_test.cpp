// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "bundles/approval/response.hpp"
#include "bundles/approval/roster.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

using approval::Decision;
using approval::Request;
using testing::ApprovalCase;
using testing::refusal;

approval::Signed read(const std::string& text, const site::Policy& policy) {
  const std::vector<const site::Policy*> policies = {&policy};
  return approval::verify_response(approval::read_response(text, "RES"), policies, "RES");
}

// All that a response must pass before it may count.
std::string verdict(const ApprovalCase& c, const Request& request, const std::string& text) {
  const site::Policy policy = c.policy();
  return refusal([&] {
    const approval::Signed response = read(text, policy);
    approval::require_answers(response, request);
    (void)approval::require_voter(response.key, request, request.pinned, policy);
  });
}

std::string resigned(const std::string& text, const std::function<void(canon::Json&)>& change,
                     const trust::PrivateKey& key, std::string_view type = dsse::kStatementType) {
  canon::Json statement =
      canon::parse_json(dsse::parse(text, fault::Code::usage, "test").payload, fault::Code::usage, "test");
  change(statement);
  return dsse::serialise(dsse::sign(type, canon::canonical(statement), key));
}

std::string payload_signed(const std::string& payload, const trust::PrivateKey& key) {
  return dsse::serialise(dsse::sign(dsse::kStatementType, payload, key));
}

TEST(ApprovalResponse, CountsWhenAllIsRight) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string text = ApprovalCase::answer(request, c.ada, "Ada Obi");
  EXPECT_EQ(verdict(c, request, text), "none");
  EXPECT_EQ(read(text, c.policy()).answer.comment, "Looks right");
  EXPECT_EQ(approval::response_file_name(request, c.ada.public_key()),
            "RES-review-aaaaaaaa-" + c.ada.public_key().key_id().substr(0, 8) + ".json");
}

TEST(ApprovalResponse, ReadsItsFormStrictly) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string good = ApprovalCase::answer(request, c.ada, "Ada Obi");
  EXPECT_EQ(verdict(c, request, good + "{}"), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, request, good + std::string(1, '\0')), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, request, "\xEF\xBB\xBF" + good), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, request, "{\"payload\":\"\"," + good.substr(1)), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, request, "{\"alg\":\"none\"," + good.substr(1)), "ERR_APPROVAL_MALFORMED envelope");
  EXPECT_EQ(verdict(c, request, std::string(approval::kMaxResponseBytes + 1, ' ')), "ERR_APPROVAL_MALFORMED size");
  EXPECT_EQ(verdict(c, request, std::string(5000, '[')), "ERR_APPROVAL_MALFORMED json");
  canon::Json two = canon::parse_json(good, fault::Code::usage, "test");
  two["signatures"].push_back(two["signatures"][0]);
  EXPECT_EQ(verdict(c, request, canon::canonical(two)), "ERR_APPROVAL_MALFORMED envelope");
}

TEST(ApprovalResponse, ReadsBase64Strictly) {
  const ApprovalCase c;
  const Request request = c.make();
  const canon::Json good =
      canon::parse_json(ApprovalCase::answer(request, c.ada, "Ada Obi"), fault::Code::usage, "test");
  const auto with = [&](const std::function<void(std::string&)>& change) {
    canon::Json file = good;
    std::string sig = file["signatures"][0]["sig"];
    change(sig);
    file["signatures"][0]["sig"] = sig;
    return verdict(c, request, canon::canonical(file)).substr(0, 22);
  };
  EXPECT_EQ(with([](std::string& sig) { sig.pop_back(); }), "ERR_APPROVAL_MALFORMED");
  EXPECT_EQ(with([](std::string& sig) { sig.insert(10, "\n"); }), "ERR_APPROVAL_MALFORMED");
  EXPECT_EQ(with([](std::string& sig) { sig[5] = '-'; }), "ERR_APPROVAL_MALFORMED");
  // 64 bytes end in `X==`: X carries four bits that must be zero.
  EXPECT_EQ(with([](std::string& sig) { sig[sig.size() - 3] = static_cast<char>(sig[sig.size() - 3] + 1); }),
            "ERR_APPROVAL_MALFORMED");
  EXPECT_EQ(with([](std::string& sig) { sig = canon::to_base64(std::string(63, 'x')); }), "ERR_APPROVAL_MALFORMED");
}

TEST(ApprovalResponse, KeyIdIsOnlyAHint) {
  const ApprovalCase c;
  const Request request = c.make();
  canon::Json file = canon::parse_json(ApprovalCase::answer(request, c.ada, "Ada Obi"), fault::Code::usage, "test");
  file["signatures"][0]["keyid"] = c.lee.public_key().key_id();
  EXPECT_EQ(verdict(c, request, canon::canonical(file)), "none");
  EXPECT_EQ(read(canon::canonical(file), c.policy()).key, c.ada.public_key());
}

TEST(ApprovalResponse, RefusesWhatWasNotSigned) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string good = ApprovalCase::answer(request, c.ada, "Ada Obi");
  canon::Json file = canon::parse_json(good, fault::Code::usage, "test");
  const dsse::Envelope envelope = dsse::parse(good, fault::Code::usage, "test");
  canon::Json statement = canon::parse_json(envelope.payload, fault::Code::usage, "test");
  statement["predicate"]["comment"] = "Looks wrong";
  canon::Json altered = file;
  altered["payload"] = canon::to_base64(std::string_view(canon::canonical(statement)));
  EXPECT_EQ(verdict(c, request, canon::canonical(altered)), "ERR_APPROVAL_SIGNATURE signature");
  altered = file;
  altered["payload"] = canon::to_base64(
      std::string_view(canon::pretty(canon::parse_json(envelope.payload, fault::Code::usage, "test"))));
  EXPECT_EQ(verdict(c, request, canon::canonical(altered)), "ERR_APPROVAL_SIGNATURE signature");
  altered = file;
  altered["payloadType"] = "application/json";
  EXPECT_EQ(verdict(c, request, canon::canonical(altered)), "ERR_APPROVAL_SIGNATURE signature");
  altered = file;
  altered["signatures"][0]["sig"] = canon::to_base64(std::string_view(std::string(64, '\0')));
  EXPECT_EQ(verdict(c, request, canon::canonical(altered)), "ERR_APPROVAL_SIGNATURE signature");
  // The bare payload signed instead of its PAE.
  const trust::Signature bare = c.ada.sign(envelope.payload);
  altered["signatures"][0]["sig"] = canon::to_base64(std::span<const std::uint8_t>(bare));
  EXPECT_EQ(verdict(c, request, canon::canonical(altered)), "ERR_APPROVAL_SIGNATURE signature");
  EXPECT_EQ(verdict(c, request, ApprovalCase::answer(request, c.stranger, "Ada Obi")),
            "ERR_APPROVAL_SIGNATURE unknown-signer");
}

TEST(ApprovalResponse, RefusesAnotherKindOfStatement) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string good = ApprovalCase::answer(request, c.ada, "Ada Obi");
  const auto same = [](canon::Json&) {};
  EXPECT_EQ(verdict(c, request, resigned(good, same, c.ada, "application/json")),
            "ERR_APPROVAL_MALFORMED payload-type");
  EXPECT_EQ(verdict(c, request,
                    resigned(
                        good, [](canon::Json& s) { s["predicateType"] = "urn:stella:evidence:v1"; }, c.ada)),
            "ERR_APPROVAL_MISMATCH predicate-type");
}

TEST(ApprovalResponse, ReadsWhatWasSignedStrictly) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string good = ApprovalCase::answer(request, c.ada, "Ada Obi");
  const auto with = [&](const std::function<void(canon::Json&)>& change) {
    return verdict(c, request,
                   resigned(
                       good, [&](canon::Json& s) { change(s["predicate"]); }, c.ada));
  };
  for (const canon::Json& wrong : {canon::Json("Approved"), canon::Json("APPROVED "), canon::Json(), canon::Json(true)})
    EXPECT_EQ(with([&](canon::Json& p) { p["decision"] = wrong; }), "ERR_APPROVAL_MALFORMED statement") << wrong;
  EXPECT_EQ(with([](canon::Json& p) { p["comment"] = std::string(2001, 'x'); }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(with([](canon::Json& p) { p["approver"]["keyid"] = std::string(64, '0'); }),
            "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(with([](canon::Json& p) { p["onBehalfOf"] = "Lee Park"; }), "ERR_APPROVAL_MALFORMED statement");
  std::string payload = dsse::parse(good, fault::Code::usage, "test").payload;
  const std::size_t at = payload.find("\"decision\":\"approved\"");
  payload.insert(at, "\"decision\":\"rejected\",");
  EXPECT_EQ(verdict(c, request, payload_signed(payload, c.ada)), "ERR_APPROVAL_MALFORMED json");
}

TEST(ApprovalResponse, AnswersOneRequestOnly) {
  const ApprovalCase c;
  const Request request = c.make();
  const auto foreign = [&](const std::function<void(ApprovalCase&)>& change) {
    ApprovalCase other;
    change(other);
    return verdict(c, request, ApprovalCase::answer(other.make(), c.ada, "Ada Obi"));
  };
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.run = "run:plant-7:20261123T165433121Z"; }), "ERR_APPROVAL_MISMATCH run");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.gate = "other"; }), "ERR_APPROVAL_MISMATCH gate");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.tenant = "plant-8"; }), "ERR_APPROVAL_MISMATCH tenant");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.attempt = 2; }), "ERR_APPROVAL_MISMATCH attempt");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.inputs = {{"cell", "c-13"}}; }), "ERR_APPROVAL_MISMATCH plan-hash");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.nonce = std::string(64, 'e'); }), "ERR_APPROVAL_MISMATCH nonce");
  EXPECT_EQ(foreign([](ApprovalCase& o) { o.leaves.pop_back(); }), "ERR_APPROVAL_MISMATCH nonce");
  const std::string good = ApprovalCase::answer(request, c.ada, "Ada Obi");
  EXPECT_EQ(
      verdict(c, request,
              resigned(
                  good, [](canon::Json& s) { s["predicate"]["displaySha256"] = canon::Digest{}.tagged(); }, c.ada)),
      "ERR_APPROVAL_MISMATCH display");
}

TEST(ApprovalRoster, NamesWhyAKeyMayNotDecide) {
  const ApprovalCase c;
  const Request request = c.make();
  EXPECT_EQ(verdict(c, request, ApprovalCase::answer(request, c.unscoped, "Uma Roth")), "ERR_APPROVAL_ROSTER scope");
  EXPECT_EQ(verdict(c, request, ApprovalCase::answer(request, c.neighbour, "Nia Berg")), "ERR_APPROVAL_ROSTER tenant");
  EXPECT_EQ(verdict(c, request, ApprovalCase::answer(request, c.ana, "Ana Ortiz")), "ERR_APPROVAL_ROSTER requester");
  ApprovalCase later;
  later.policy_version = 4;
  later.revoked =
      canon::Json::array({{{"key", c.ada.public_key().line()}, {"since", "2026-11-24T00:00:00Z"}, {"reason", "left"}}});
  EXPECT_EQ(verdict(later, request, ApprovalCase::answer(request, c.ada, "Ada Obi")), "ERR_APPROVAL_ROSTER revoked");
  ApprovalCase lenient;
  lenient.requester_may = true;
  const Request own = lenient.make();
  EXPECT_EQ(verdict(lenient, own, ApprovalCase::answer(own, c.ana, "Ana Ortiz")), "none");
  EXPECT_EQ(verdict(c, own, ApprovalCase::answer(own, c.ana, "Ana Ortiz")), "ERR_APPROVAL_ROSTER requester")
      << "the current policy forbids it";
}

approval::Count count(const ApprovalCase& c, const Request& request, const std::vector<std::string>& texts) {
  const site::Policy policy = c.policy();
  std::vector<approval::Signed> responses;
  for (const std::string& text : texts) responses.push_back(read(text, policy));
  return approval::count(request, responses, policy);
}

TEST(ApprovalRoster, CountsPeopleAndRoles) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string ada = ApprovalCase::answer(request, c.ada, "Ada Obi"),
                    again = ApprovalCase::answer(request, c.ada_second, "Ada Obi"),
                    lee = ApprovalCase::answer(request, c.lee, "Lee Park"),
                    ana = ApprovalCase::answer(request, c.ana, "Ana Ortiz");
  EXPECT_FALSE(count(c, request, {}).is_open());
  EXPECT_FALSE(count(c, request, {ada, again}).is_open());
  EXPECT_EQ(count(c, request, {ada, again}).have, 1);
  EXPECT_FALSE(count(c, request, {lee, ana}).is_open()) << "the requester does not count";
  EXPECT_EQ(count(c, request, {lee}).missing_roles, std::vector<std::string>{"safety: 1 more"});
  EXPECT_TRUE(count(c, request, {lee, ada}).is_open());
  EXPECT_EQ(count(c, request, {lee, ada}).approvers, (std::vector<std::string>{"Lee Park", "Ada Obi"}));
}

TEST(ApprovalRoster, OneRejectionIsFinal) {
  const ApprovalCase c;
  const Request request = c.make();
  const std::string ada = ApprovalCase::answer(request, c.ada, "Ada Obi");
  const std::string no = ApprovalCase::answer(request, c.lee, "Lee Park", Decision::rejected);
  const approval::Count counted = count(c, request, {ada, no});
  ASSERT_TRUE(counted.rejection);
  EXPECT_EQ(counted.rejection->approver, "Lee Park");
  EXPECT_FALSE(counted.is_open());
}

TEST(ApprovalRoster, ARoleMustBeInBothPolicies) {
  ApprovalCase before;
  before.roles = {{"safety", 1}};
  const Request request = before.make();
  const std::string ada = ApprovalCase::answer(request, before.ada, "Ada Obi"),
                    lee = ApprovalCase::answer(request, before.lee, "Lee Park");
  const std::vector<std::string> texts = {ada, lee};
  EXPECT_TRUE(count(before, request, texts).is_open());
  ApprovalCase after;
  after.revoked = canon::Json::array(
      {{{"key", after.ada.public_key().line()}, {"since", "2026-11-24T00:00:00Z"}, {"reason", "left"}}});
  const approval::Count counted = count(after, request, texts);
  EXPECT_EQ(counted.have, 1) << "a key revoked since counts for nothing";
  EXPECT_FALSE(counted.is_open());
}

}  // namespace
}  // namespace stella
