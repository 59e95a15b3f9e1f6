// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "appliance/console/run_request.hpp"
#include "bundles/dsse/envelope.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

TEST(RunRequest, TakesAPackAndWhatGoesWithIt) {
  const RunRequest wish =
      parse_run_request(R"({"pack":"job:1.0.0","inputs":{"b":1,"a":"x"},"planHash":"sha256:00","tenant":"plant-7"})");
  EXPECT_EQ(wish.pack, "job:1.0.0");
  EXPECT_EQ(wish.inputs, R"({"a":"x","b":1})");
  EXPECT_EQ(wish.plan_hash, "sha256:00");
  EXPECT_EQ(wish.tenant, "plant-7");
  EXPECT_FALSE(parse_run_request(R"({"pack":"job:1.0.0"})").tenant);
}

// Its texts become arguments of a verb: none may be taken for an option.
TEST(RunRequest, RefusesWhatIsNoRequestOrAnOption) {
  for (const char* bad :
       {"", "[]", "{}", R"({"pack":1})", R"({"pack":"--home"})", R"({"pack":"a","planHash":"-x"})",
        R"({"pack":"a","tenant":"--yes"})", R"({"pack":"a","tenant":""})", R"({"pack":"a","inputs":[]})",
        R"({"pack":"a","pack":"b"})", R"({"pack":"a","secrets":{}})"}) {
    try {
      (void)parse_run_request(bad);
      ADD_FAILURE() << bad;
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), fault::Code::usage) << bad;
    }
  }
}

TEST(RunRequest, NamesARequestFileAfterItsGateAndNothingElse) {
  const auto key = trust::PrivateKey::generate();
  const auto named = [&](const std::string& gate) {
    const auto envelope =
        dsse::sign(dsse::kStatementType,
                   canon::canonical({{"predicate", {{"gate", gate}, {"requestId", "0123456789abcdef"}}}}), key);
    return request_name(R"({"request":)" + dsse::serialise(envelope) + "}");
  };
  EXPECT_EQ(named("review"), "REQ-review-01234567.json");
  EXPECT_EQ(named("a\"\r\nb/c"), "REQ-a___b_c-01234567.json");
  EXPECT_EQ(request_name("nonsense"), "request.json");
}

}  // namespace
}  // namespace stella::console
