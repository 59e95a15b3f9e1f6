// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "appliance/network/decision.hpp"

namespace stella::network {
namespace {

site::Policy policy() {
  site::Policy made;
  made.allow = {{.host = "Historian.example",
                 .addresses = {"10.1.2.3", "10.1.2.2"},
                 .port = 443,
                 .packs = {"firmware-*"},
                 .reason = ""},
                {.host = "time.example", .addresses = {"10.1.2.9"}, .port = 123, .packs = {}, .reason = ""},
                {.host = "hooks.example",
                 .addresses = {"10.1.2.8"},
                 .port = 443,
                 .packs = {},
                 .reason = "",
                 .loopback = false,
                 .for_stella = true}};
  return made;
}

TEST(Decide, AllowsWhatPackAndSiteBothSayAtEachPinnedAddress) {
  const auto site = policy();
  const auto decisions = decide({{"historian.example", 443}, {"historian.example", 443}}, &site, "firmware-x");
  EXPECT_EQ(decisions.asked.size(), 1U);
  EXPECT_EQ(decisions.allowed,
            (std::vector<Endpoint>{{"historian.example", "10.1.2.2", 443}, {"historian.example", "10.1.2.3", 443}}));
  EXPECT_TRUE(decisions.refused.empty());
}

struct Refusal {
  const char* pack;
  const char* host;
  int port;
};
class Refuses : public ::testing::TestWithParam<Refusal> {};
TEST_P(Refuses, AndNamesTheLine) {
  const auto site = policy();
  const auto decisions = decide({{GetParam().host, GetParam().port}}, &site, GetParam().pack);
  ASSERT_EQ(decisions.refused.size(), 1U);
  EXPECT_TRUE(decisions.allowed.empty());
  EXPECT_NE(decisions.refused[0].line.find(GetParam().host), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Sites, Refuses,
                         ::testing::Values(Refusal{"other", "historian.example", 443},
                                           Refusal{"firmware-x", "historian.example", 80},
                                           Refusal{"firmware-x", "evil.example", 443},
                                           Refusal{"firmware-x", "hooks.example", 443}));

TEST(Decide, RefusesEverythingWithoutAPolicy) {
  EXPECT_EQ(decide({{"time.example", 123}}, nullptr, "x").refused.size(), 1U);
}

TEST(Undeclared, AreThoseThatThePackDidNotAskFor) {
  const auto site = policy();
  EXPECT_EQ(undeclared({{"historian.example", 443}}, &site, "firmware-x"),
            (std::vector<Endpoint>{{"time.example", "10.1.2.9", 123}}));
}

TEST(PolicyLine, IsYamlThatWouldAllowIt) {
  EXPECT_EQ(policy_line("a.example", "10.0.0.1", 80), "- {host: a.example, address: 10.0.0.1, port: 80}");
  EXPECT_EQ(policy_line("", "2001:db8::1", 443), "- {host: \"2001:db8::1\", address: \"2001:db8::1\", port: 443}");
  EXPECT_EQ(policy_line("b.example", "127.77.0.10", 8077),
            "- {host: b.example, address: 127.77.0.10, port: 8077, loopback: true}");
  EXPECT_EQ(policy_line("c.example", "", 53), "- {host: c.example, address: ADDRESS-OF-THE-HOST, port: 53}");
}

TEST(PolicyLine, ShowsAHostileNameHarmlessly) {
  const std::string line = policy_line("x}, {host: y\x1b[31m", "", 53);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_NE(line.find("\"x}, {host: y"), std::string::npos) << line;
}

}  // namespace
}  // namespace stella::network
