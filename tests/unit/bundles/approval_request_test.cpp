// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "bundles/approval/request.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

using approval::Request;
using testing::ApprovalCase;
using testing::refusal;

canon::Json file_of(const Request& request) {
  return canon::parse_json(request.parcel.bytes, fault::Code::usage, "test");
}

std::string verdict(const ApprovalCase& c, const std::string& text) {
  return refusal([&] { (void)approval::verify_request(approval::read_parcel(text, "REQ"), c.policy()); });
}

// The same request with its statement changed, signed again by `key`.
std::string resigned(const ApprovalCase& c, const std::function<void(canon::Json&)>& change,
                     const trust::PrivateKey& key) {
  canon::Json file = file_of(c.make());
  const dsse::Envelope envelope = dsse::parse(canon::canonical(file["request"]), fault::Code::usage, "test");
  canon::Json statement = canon::parse_json(envelope.payload, fault::Code::usage, "test");
  change(statement);
  file["request"] = canon::parse_json(
      dsse::serialise(dsse::sign(dsse::kStatementType, canon::canonical(statement), key)), fault::Code::usage, "test");
  return canon::canonical(file);
}

TEST(ApprovalRequest, ComesBackAsItWasMade) {
  const ApprovalCase c;
  const Request made = c.make();
  const Request read = approval::verify_request(approval::read_parcel(made.parcel.bytes, "REQ"), c.policy());
  EXPECT_EQ(read.asked.run, c.run);
  EXPECT_EQ(read.asked.steps_released, (std::vector<std::string>{"flash", "report"}));
  EXPECT_EQ(read.payload_digest, made.payload_digest);
  EXPECT_EQ(read.plan_hash, canon::sha256(made.parcel.plan));
  EXPECT_EQ(approval::request_file_name(read), "REQ-review-aaaaaaaa.json");
}

TEST(ApprovalRequest, IsTheSameBytesForTheSameFacts) {
  const ApprovalCase c;
  EXPECT_EQ(c.make().parcel.bytes, c.make().parcel.bytes);
}

TEST(ApprovalRequest, ReadsItsFileStrictly) {
  const ApprovalCase c;
  const std::string good = c.make().parcel.bytes;
  EXPECT_EQ(verdict(c, good + "x"), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, "\xEF\xBB\xBF" + good), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, "{\"plan\":\"\"," + good.substr(1)), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, "{\"extra\":1," + good.substr(1)), "ERR_APPROVAL_MALFORMED schema");
  EXPECT_EQ(verdict(c, "[]"), "ERR_APPROVAL_MALFORMED schema");
  EXPECT_EQ(verdict(c, ""), "ERR_APPROVAL_MALFORMED json");
  EXPECT_EQ(verdict(c, std::string(100000, '[')), "ERR_APPROVAL_MALFORMED json");
}

TEST(ApprovalRequest, RefusesAnotherSigner) {
  const ApprovalCase c;
  const auto same = [](canon::Json&) {};
  EXPECT_EQ(verdict(c, resigned(c, same, c.appliance)), "none");
  EXPECT_EQ(verdict(c, resigned(c, same, c.stranger)), "ERR_APPROVAL_SIGNATURE unknown-signer");
  EXPECT_EQ(verdict(c, resigned(c, same, c.admin)), "ERR_APPROVAL_SIGNATURE unknown-signer");
  ApprovalCase gone;
  gone.revoked = canon::Json::array(
      {{{"key", gone.appliance.public_key().line()}, {"since", "2026-11-01T00:00:00Z"}, {"reason", "stolen"}}});
  EXPECT_EQ(verdict(gone, c.make().parcel.bytes), "ERR_APPROVAL_SIGNATURE unknown-signer");
}

TEST(ApprovalRequest, RefusesAChangedPart) {
  const ApprovalCase c;
  canon::Json file = file_of(c.make());
  canon::Json other_plan = c.plan();
  other_plan["inputs"]["cell"] = "c-13";
  canon::Json swapped = file;
  swapped["plan"] = canon::canonical(other_plan);
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_MISMATCH plan-hash");
  swapped = file;
  ApprovalCase newer;
  newer.policy_version = 4;
  swapped["site"] = file_of(newer.make())["site"];
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_MISMATCH policy");
  swapped = file;
  swapped["leaves"] = "";
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_MISMATCH ledger");
  swapped["leaves"] = "AAAA";
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_MALFORMED leaves");
  swapped = file;
  ApprovalCase shorter;
  shorter.leaves.pop_back();
  swapped["checkpoint"] = file_of(shorter.make())["checkpoint"];
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_MISMATCH ledger");
  swapped = file;
  std::string payload = swapped["request"]["payload"];
  payload[40] = payload[40] == 'A' ? 'B' : 'A';
  swapped["request"]["payload"] = payload;
  EXPECT_EQ(verdict(c, canon::canonical(swapped)), "ERR_APPROVAL_SIGNATURE signature");
}

TEST(ApprovalRequest, RefusesASummaryThatIsNotThePlans) {
  const ApprovalCase c;
  const std::string expected = "ERR_APPROVAL_MISMATCH review";
  const auto changed = [&](const std::function<void(canon::Json&)>& change) {
    return verdict(c, resigned(
                          c, [&](canon::Json& statement) { change(statement["predicate"]); }, c.appliance));
  };
  EXPECT_EQ(changed([](canon::Json& p) { p["review"]["network"] = canon::Json::array(); }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["review"]["secrets"] = canon::Json::array(); }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["review"]["stepsReleased"] = canon::Json::array({"report"}); }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["review"]["stepsDone"][0]["id"] = "other"; }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["threshold"] = 1; }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["roles"] = canon::Json::object(); }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["tenant"] = "plant-8"; }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["gate"] = "other"; }), expected);
  EXPECT_EQ(changed([](canon::Json& p) { p["run"]["pack"]["version"] = "1.4.1"; }), expected);
}

TEST(ApprovalRequest, ReadsItsPredicateStrictly) {
  const ApprovalCase c;
  const auto changed = [&](const std::function<void(canon::Json&)>& change) {
    return verdict(c, resigned(
                          c, [&](canon::Json& statement) { change(statement["predicate"]); }, c.appliance));
  };
  EXPECT_EQ(changed([](canon::Json& p) { p["threshold"] = 0; }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(changed([](canon::Json& p) { p["threshold"] = "2"; }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(changed([](canon::Json& p) { p["nonce"] = "b"; }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(changed([](canon::Json& p) { p["unknown"] = 1; }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(changed([](canon::Json& p) { p.erase("state"); }), "ERR_APPROVAL_MALFORMED statement");
  EXPECT_EQ(changed([](canon::Json& p) { p["expiresAt"] = "tomorrow"; }), "ERR_APPROVAL_MALFORMED time");
  EXPECT_EQ(verdict(c, resigned(
                           c, [](canon::Json& s) { s["predicateType"] = "urn:stella:approval:v1"; }, c.appliance)),
            "ERR_APPROVAL_MISMATCH predicate-type");
}

TEST(PlanView, RefusesAPlanInAnotherForm) {
  const ApprovalCase c;
  const std::string good = canon::canonical(c.plan());
  EXPECT_EQ(refusal([&] { (void)approval::read_plan(good, "plan"); }), "none");
  EXPECT_EQ(refusal([&] { (void)approval::read_plan(" " + good, "plan"); }), "ERR_APPROVAL_MALFORMED plan");
  canon::Json loop = c.plan();
  loop["steps"][0]["needs"] = canon::Json::array({"flash"});
  EXPECT_EQ(refusal([&] { (void)approval::read_plan(canon::canonical(loop), "plan"); }), "ERR_APPROVAL_MALFORMED plan");
  canon::Json unknown = c.plan();
  unknown["steps"][1]["approval"] = "nobody";
  EXPECT_EQ(refusal([&] { (void)approval::read_plan(canon::canonical(unknown), "plan"); }),
            "ERR_APPROVAL_MALFORMED plan");
}

TEST(PlanView, ReleasesOnlyWhatNoLaterGateHolds) {
  ApprovalCase c;
  canon::Json plan = c.plan();
  plan["approvals"].push_back({{"id", "second"}, {"threshold", 1}, {"roles", canon::Json::object()}});
  plan["steps"].push_back(
      {{"id", "again"}, {"kind", "gate.approval"}, {"approval", "second"}, {"needs", canon::Json::array({"report"})}});
  plan["steps"].push_back({{"id", "clean"}, {"kind", "run"}, {"needs", canon::Json::array({"again"})}});
  const approval::PlanView view = approval::read_plan(canon::canonical(plan), "plan");
  EXPECT_EQ(view.released_by("review"), (std::vector<std::string>{"flash", "report", "again"}));
  EXPECT_EQ(view.behind("review"), (std::vector<std::string>{"flash", "report", "again", "clean"}));
  EXPECT_EQ(view.released_by("second"), (std::vector<std::string>{"clean"}));
}

}  // namespace
}  // namespace stella
