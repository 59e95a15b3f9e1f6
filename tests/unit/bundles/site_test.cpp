// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bundles/site/policy.hpp"
#include "bundles/site/reading.hpp"

namespace stella::site {
namespace {

std::string key(char fill) {
  return trust::PrivateKey::from_seed(locked::Bytes::copy_of(std::string(32, fill))).public_key().line();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The contract's example, section 8, with keys a..g.
std::string good() {
  return fmt::format(R"(schema: stella.site.v1
site: plant-7
version: 3
validUntil: 2027-06-30T00:00:00Z
mode: sealed
homes: any
admins: {{threshold: 2, keys: [{0}, {{key: {1}, unprotected: true}}]}}
appliances: [{{id: apl-hall3, key: {2}}}]
auditors: [{{name: Lee Park, key: {3}}}]
publishers: [{{name: OT Tools, key: {4}, packs: ["firmware-*"]}}]
denied: [{{pack: "firmware-rollout:1.3.0", reason: bricks rev B}}]
revoked: [{{key: {5}, since: 2026-11-01T00:00:00Z, reason: left}}]
tenants:
  - name: plant-7
    packs: ["firmware-*"]
    operators: [{{name: Ana Ortiz, user: ana}}]
    approvers:
      - {{name: Ada Obi, keys: [{6}], scopes: [packs.approve], roles: [safety]}}
      - {{name: Bo Chen, keys: [{7}], scopes: [Packs.Approve]}}
network:
  dns: block
  allow: [{{host: historian.plant.example, address: 10.1.2.3, port: 443, packs: ["firmware-*"], reason: read batch plan}}]
approvals: {{defaultExpiry: PT24H, allowRequesterToApprove: false, onAppliance: true,
            require: [{{packs: ["firmware-*"], threshold: 2, roles: {{safety: 1}}}}]}}
retention: {{runs: P30D}}
mirror: {{sources: [{{name: outside-1, root: "sha256:{8}"}}], maxAge: P45D, warnAge: P14D}}
notifications: [{{topic: "pack.run.*", to: spool}}]
chaos: {{allow: false}}
offlineKit: {{folder: /srv/offline-kit}}
)",
                     key('a'), key('b'), key('c'), key('d'), key('e'), key('f'), key('g'), key('h'),
                     std::string(64, '0'));
}

std::string problems_of(const std::string& text) {
  std::string out;
  for (const Problem& problem : check(text, "policy.yaml")) {
    out += fmt::format("{} [{}] {}\n", problem.at, problem.reason, problem.what);
  }
  return out;
}

TEST(Policy, IsReadAsTheContractShowsIt) {
  ASSERT_EQ(problems_of(good()), "");
  const Policy policy = parse_policy(good(), "policy.yaml");
  EXPECT_EQ(policy.site, "plant-7");
  EXPECT_EQ(policy.version, 3);
  EXPECT_EQ(policy.mode, Mode::sealed);
  EXPECT_EQ(policy.admins.threshold, 2);
  EXPECT_EQ(policy.admins.keys.size(), 2U);
  EXPECT_EQ(clock::format(*policy.valid_until), "2027-06-30T00:00:00Z");
  EXPECT_EQ(policy.publishers.at(0).packs.at(0), "firmware-*");
  EXPECT_EQ(policy.tenants.at(0).approvers.at(1).scopes.at(0), "packs.approve");
  EXPECT_EQ(policy.allow.at(0).addresses.at(0), "10.1.2.3");
  EXPECT_EQ(policy.require.at(0).roles.at("safety"), 1);
  EXPECT_TRUE(policy.mirror_sources_listed);
  EXPECT_EQ(policy.digest, canon::sha256(policy.bytes));
  EXPECT_NE(policy.find_denied("firmware-rollout:1.3.0", {}), nullptr);
  EXPECT_EQ(policy.find_denied("firmware-rollout:1.3.1", {}), nullptr);
  EXPECT_TRUE(policy.is_revoked(policy.revoked.at(0).key));
}

TEST(Policy, IsTheSameFromItsCanonicalBytes) {
  const Policy policy = parse_policy(good(), "policy.yaml");
  EXPECT_EQ(parse_policy(policy.bytes, "payload").digest, policy.digest);
}

TEST(Policy, NeedsOnlyItsHeadAndAdmins) {
  const std::string text =
      "schema: stella.site.v1\nsite: s\nversion: 1\nadmins: {threshold: 1, keys: [" + key('a') + "]}\n";
  EXPECT_EQ(problems_of(text), "");
  const Checked checked = check_policy(text, "policy.yaml");
  ASSERT_EQ(checked.warnings.size(), 1U);
  EXPECT_NE(checked.warnings[0].what.find("one stolen admin key"), std::string::npos);
}

TEST(Policy, ListsEveryProblemWithItsPlace) {
  std::string text = replaced(good(), "mode: sealed", "mode: sealled");
  text = replaced(text, "address: 10.1.2.3", "address: historian.plant.example");
  text = replaced(text, "retention:", "retension:");
  const std::string problems = problems_of(text);
  EXPECT_NE(problems.find("policy.yaml:5:7 [schema] field `mode` is `sealled`"), std::string::npos) << problems;
  EXPECT_NE(problems.find("did you mean `sealed`"), std::string::npos) << problems;
  EXPECT_NE(problems.find("[address] `historian.plant.example` is not an IPv4 or IPv6 address"), std::string::npos)
      << problems;
  EXPECT_NE(problems.find("unknown field `retension`, did you mean `retention`?"), std::string::npos) << problems;
  EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 3) << problems;
}

struct Case {
  const char* what;
  std::string from, to, reason;
};
class PolicyRule : public ::testing::TestWithParam<Case> {};

TEST_P(PolicyRule, IsEnforced) {
  const Case& test = GetParam();
  const std::string problems = problems_of(replaced(good(), test.from, test.to));
  EXPECT_NE(problems.find("[" + test.reason + "]"), std::string::npos) << problems;
  EXPECT_THROW((void)parse_policy(replaced(good(), test.from, test.to), "policy.yaml"), fault::Error);
}

INSTANTIATE_TEST_SUITE_P(
    All, PolicyRule,
    ::testing::Values(
        Case{"a key in two lists", key('d'), key('c'), "one-list"}, Case{"a key twice", key('h'), key('g'), "twice"},
        Case{"an admin twice", key('b'), key('a'), "twice"},
        Case{"admins above the keys", "threshold: 2, keys: [" + key('a'), "threshold: 3, keys: [" + key('a'),
             "threshold"},
        Case{"an admin below the threshold once revoked", key('f'), key('a'), "threshold"},
        Case{"more people than there are", "threshold: 2, roles", "threshold: 3, roles", "threshold"},
        Case{"a role that nobody has", "roles: {safety: 1}", "roles: {security: 1}", "threshold"},
        Case{"no operators", "    operators: [{name: Ana Ortiz, user: ana}]\n", "", "operators"},
        Case{"a small-order key", key('c'), "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "key"},
        Case{"43 bytes of key", key('c'), key('c').substr(0, 56), "key"},
        Case{"a key that is a number", key('c'), "12", "key"},
        Case{"an address that is loopback", "10.1.2.3", "127.77.0.10", "loopback"},
        Case{"an address that is link-local", "10.1.2.3", "169.254.169.254", "loopback"},
        Case{"a metadata address", "10.1.2.3", "\"fd00:ec2::254\"", "loopback"},
        Case{"an address that is mapped", "10.1.2.3", "\"::ffff:127.0.0.1\"", "address"},
        Case{"an address with zeros", "10.1.2.3", "10.1.2.03", "address"},
        Case{"the address of all", "10.1.2.3", "0.0.0.0", "address"},
        Case{"a list with a name", "10.1.2.3", "[10.1.2.3, db.example]", "address"},
        Case{"an empty list of addresses", "10.1.2.3", "[]", "address"},
        Case{"an upper-case host", "host: historian", "host: Historian", "host"},
        Case{"a port too high", "port: 443", "port: 65536", "schema"},
        Case{"version 0", "version: 3", "version: 0", "schema"},
        Case{"version text", "version: 3", "version: \"3\"", "schema"},
        Case{"another schema", "stella.site.v1", "stella.site.v2", "schema"},
        Case{"a site like a path", "site: plant-7", "site: ../plant", "name"},
        Case{"a tenant like a path", "- name: plant-7", "- name: a/b", "name"},
        Case{"an invisible character", "Ada Obi", "Ada\xe2\x80\xaeObi", "name"},
        Case{"a publisher of nothing", "packs: [\"firmware-*\"]}]\ndenied", "packs: []}]\ndenied", "schema"},
        Case{"a bad pattern", "packs: [\"firmware-*\"]}]\ndenied", "packs: [\"Firm ware\"]}]\ndenied", "schema"},
        Case{"a bad duration", "PT24H", "soon", "duration"},
        Case{"a bad time", "2027-06-30T00:00:00Z", "2027-06-30", "time"},
        Case{"a bad digest", "sha256:0000", "sha512:0000", "digest"},
        Case{"a denied pack without version", "firmware-rollout:1.3.0", "firmware-rollout", "schema"},
        Case{"an unknown field deep inside", "user: ana", "user: ana, shell: sh", "schema"}),
    [](const auto& each) { return std::to_string(each.index); });

TEST(Policy, TakesALoopbackAddressThatIsMeant) {
  EXPECT_EQ(problems_of(replaced(good(), "address: 10.1.2.3", "loopback: true, address: [127.77.0.10, \"::1\"]")), "");
}

TEST(Policy, TakesAPersonInTwoTenants) {
  const std::string second =
      "  - {name: plant-8, operators: [{name: Ana, user: ana}], approvers: [{name: Ada Obi, keys: [" + key('g') +
      "]}]}\nnetwork:";
  EXPECT_EQ(problems_of(replaced(good(), "network:", second)), "");
  EXPECT_NE(problems_of(replaced(good(), "network:", replaced(second, "Ada Obi", "Eve"))).find("[person]"),
            std::string::npos);
}

TEST(Policy, RefusesDuplicatesAnchorsAndTagsOfYaml) {
  EXPECT_THROW((void)check(good() + "site: other\n", "policy.yaml"), fault::Error);
  EXPECT_THROW((void)check("schema: &a x\nsite: *a\n", "policy.yaml"), fault::Error);
  EXPECT_THROW((void)check("", "policy.yaml"), fault::Error);
}

// A policy whose mode lets stella post, with one rule for a receiver at hooks.example.
std::string telling(const std::string& rule) {
  std::string text = replaced(good(), "mode: sealed", "mode: constrained");
  text = replaced(text, "allow: [", "allow: [{host: hooks.example, address: 10.1.2.4, port: 443, for: [stella]}, ");
  return replaced(text, "{topic: \"pack.run.*\", to: spool}", rule);
}

TEST(Notifications, TakeEachKindOfReceiver) {
  EXPECT_EQ(problems_of(telling("{topic: \"pack.run.*\", to: webhook, host: hooks.example, path: /in}")), "");
  EXPECT_EQ(problems_of(telling("{topic: pack.run.failed, to: slack, host: hooks.example, credential: slack}")), "");
  EXPECT_EQ(problems_of(telling("{topic: \"pack.*\", to: email, host: hooks.example, port: 443, from: a@b.example, "
                                "recipients: [c@d.example], tenants: [plant-7]}")),
            "");
}

class NotificationRule : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(NotificationRule, IsEnforced) {
  const auto& [rule, reason] = GetParam();
  const std::string problems = problems_of(telling(rule));
  EXPECT_NE(problems.find(fmt::format("[{}]", reason)), std::string::npos) << problems;
}

INSTANTIATE_TEST_SUITE_P(
    All, NotificationRule,
    ::testing::Values(
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: other.example}", "allow"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: historian.plant.example}", "allow"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: hooks.example, port: 8443}", "allow"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: Hooks.example}", "host"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: hooks.example, path: \"/a b\"}", "path"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: hooks.example, path: /a/../b}", "path"},
        std::pair{"{topic: \"pack.run.*\", to: webhook, host: hooks.example, from: a@b.example}", "to"},
        std::pair{"{topic: \"pack.run.*\", to: slack, host: hooks.example}", "credential"},
        std::pair{"{topic: \"pack.run.*\", to: slack, host: hooks.example, credential: s, port: 443, tls: false}",
                  "tls"},
        std::pair{"{topic: \"pack.run.*\", to: spool, host: hooks.example}", "to"},
        std::pair{"{topic: \"pack.run.*\", to: spool, tenants: [nobody]}", "tenant"},
        std::pair{
            "{topic: \"pack.run.*\", to: email, host: hooks.example, port: 443, from: \"a@b.example, c@d.example\", "
            "recipients: [c@d.example]}",
            "address"},
        std::pair{"{topic: \"pack.run.*\", to: email, host: hooks.example, port: 443, from: a@b.example, "
                  "recipients: [\"c@d.example> SIZE=1\"]}",
                  "address"},
        std::pair{
            "{topic: \"pack.run.*\", to: email, host: hooks.example, port: 443, from: a@b.example, recipients: []}",
            "recipients"}),
    [](const auto& each) { return std::to_string(each.index); });

TEST(Notifications, WarnWhereNobodyWouldBeTold) {
  const auto warned = [](const std::string& text, const std::string& reason) {
    const auto warnings = check_policy(text, "policy.yaml").warnings;
    return std::any_of(warnings.begin(), warnings.end(), [&](const Problem& one) { return one.reason == reason; });
  };
  EXPECT_TRUE(warned(telling("{topic: \"pack.step.*\", to: spool}"), "topic"));
  const std::string sealed = replaced(good(), "{topic: \"pack.run.*\", to: spool}",
                                      "{topic: \"pack.run.*\", to: webhook, host: hooks.example}");
  EXPECT_EQ(problems_of(sealed), "");
  EXPECT_TRUE(warned(sealed, "sealed"));
}

TEST(Matches, KnowsTheStarOnly) {
  EXPECT_TRUE(matches("firmware-*", "firmware-rollout"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "a-bb-b-c"));
  EXPECT_FALSE(matches("firmware-*", "xfirmware-"));
  EXPECT_FALSE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("abc", "abcd"));
  EXPECT_FALSE(matches("*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
  EXPECT_TRUE(matches_any({}, "anything"));
  EXPECT_FALSE(matches_any({"x", "y-*"}, "z"));
}

}  // namespace
}  // namespace stella::site
