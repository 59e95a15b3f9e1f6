// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "bundles/site/identity.hpp"
#include "bundles/site/pinned.hpp"

namespace stella::site {
namespace {

using fault::Code;

trust::PrivateKey key_of(char fill) {
  return trust::PrivateKey::from_seed(locked::Bytes::copy_of(std::string(32, fill)));
}
trust::PublicKey pub(char fill) {
  return key_of(fill).public_key();
}
TrustRule trusted(const std::string& fills, std::optional<int> threshold = {}) {
  TrustRule rule{{}, threshold};
  for (const char fill : fills) rule.admins.push_back(pub(fill));
  return rule;
}

struct Wish {
  int version = 1;
  std::string site = "plant-7", admins = "a", more = {};
  int threshold = 1;
};
std::string policy_text(const Wish& wish) {
  std::string keys;
  for (const char fill : wish.admins) keys += (keys.empty() ? "" : ", ") + pub(fill).line();
  return fmt::format("schema: stella.site.v1\nsite: {}\nversion: {}\nadmins: {{threshold: {}, keys: [{}]}}\n{}",
                     wish.site, wish.version, wish.threshold, keys, wish.more);
}
std::string signed_by(const std::string& fills, const Wish& wish) {
  dsse::Envelope envelope =
      dsse::sign(dsse::kSiteType, parse_policy(policy_text(wish), "policy.yaml").bytes, key_of(fills[0]));
  for (const char fill : fills.substr(1)) dsse::add_signature(envelope, key_of(fill));
  return dsse::serialise(envelope);
}

class ApplyTest : public ::testing::Test {
 protected:
  ApplyTest() {
    char name[] = "/tmp/stella-site-XXXXXX";
    folder_ = ::mkdtemp(name);
    home_ = std::make_unique<files::Home>(files::Home::open(folder_ + "/home"));
  }
  ~ApplyTest() override { std::filesystem::remove_all(folder_); }

  // `CODE reason` of what happened, or `applied`; what is refused must change nothing.
  std::string attempt(const std::string& envelope, const TrustRule& trust = {}) {
    const std::string before = held();
    try {
      (void)apply(*home_, envelope, "policy.dsse.json", trust, now_);
      return "applied";
    } catch (const fault::Error& error) {
      EXPECT_EQ(held(), before);
      return fmt::format("{} {}", fault::info(error.code()).name, error.reason());
    }
  }
  std::string held() {
    const auto applied = load_applied(*home_);
    return applied ? applied->policy.digest.tagged() : "none";
  }

  std::string folder_;
  std::unique_ptr<files::Home> home_;
  clock::Time now_ = clock::parse_time("2026-11-23T12:00:00Z", Code::internal, "");
};

TEST_F(ApplyTest, NeedsTrustTheFirstTime) {
  EXPECT_EQ(attempt(signed_by("a", {})), "ERR_SITE_SIGNATURE trust");
  EXPECT_EQ(attempt(signed_by("a", {}), trusted("b")), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("a", {}), trusted("a")), "applied");
  EXPECT_EQ(load_applied(*home_)->policy.site, "plant-7");
}

TEST_F(ApplyTest, AsksForTwoOfSeveralTrustedKeys) {
  const Wish wish{.admins = "abc", .threshold = 1};
  EXPECT_EQ(attempt(signed_by("a", wish), trusted("abc")), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("a", wish), trusted("abc", 1)), "applied");
}

TEST_F(ApplyTest, AsksForThePolicysOwnThresholdToo) {
  const Wish wish{.admins = "abc", .threshold = 2};
  EXPECT_EQ(attempt(signed_by("a", wish), trusted("a")), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("az", wish), trusted("a")), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("ac", wish), trusted("a")), "applied");
}

TEST_F(ApplyTest, OneStolenKeyOfThreeCannotTakeOver) {
  ASSERT_EQ(attempt(signed_by("ab", {.admins = "abc", .threshold = 2}), trusted("ab")), "applied");
  EXPECT_EQ(attempt(signed_by("c", {.version = 2, .admins = "c"})), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("c", {.version = 2, .admins = "c"}), trusted("c")), "ERR_SITE_SIGNATURE threshold");
}

TEST_F(ApplyTest, HandsOverToOtherAdmins) {
  ASSERT_EQ(attempt(signed_by("a", {}), trusted("a")), "applied");
  EXPECT_EQ(attempt(signed_by("b", {.version = 2, .admins = "b"})), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("a", {.version = 2, .admins = "b"})), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(signed_by("ab", {.version = 2, .admins = "b"})), "applied");
  EXPECT_EQ(attempt(signed_by("b", {.version = 3, .admins = "b"})), "applied");
  EXPECT_EQ(attempt(signed_by("a", {.version = 4, .admins = "a"})), "ERR_SITE_SIGNATURE threshold");
}

TEST_F(ApplyTest, RefusesOlderOtherAndForeignPolicies) {
  ASSERT_EQ(attempt(signed_by("a", {.version = 3}), trusted("a")), "applied");
  EXPECT_EQ(attempt(signed_by("a", {.version = 2})), "ERR_SITE_ROLLBACK version");
  EXPECT_EQ(attempt(signed_by("a", {.version = 3, .more = "mode: connected\n"})), "ERR_SITE_ROLLBACK equal-version");
  EXPECT_EQ(attempt(signed_by("a", {.version = 4, .site = "plant-8"})), "ERR_SITE_INVALID site");
  EXPECT_EQ(attempt(signed_by("a", {.version = 3})), "applied");  // the same again
}

TEST_F(ApplyTest, RefusesAnExpiredPolicyAndFreezesLater) {
  EXPECT_EQ(attempt(signed_by("a", {.more = "validUntil: 2026-11-23T11:59:59Z\n"}), trusted("a")),
            "ERR_SITE_FROZEN valid-until");
  ASSERT_EQ(attempt(signed_by("a", {.more = "validUntil: 2026-12-01T00:00:00Z\n"}), trusted("a")), "applied");
  const Policy policy = load_applied(*home_)->policy;
  EXPECT_NO_THROW(require_valid(policy, now_));
  EXPECT_THROW(require_valid(policy, now_ + std::chrono::hours(24 * 9)), fault::Error);
}

TEST_F(ApplyTest, RefusesServiceHomesInAPersonalOne) {
  EXPECT_EQ(attempt(signed_by("a", {.more = "homes: service\n"}), trusted("a")), "ERR_HOME_UNSAFE personal");
}

TEST_F(ApplyTest, ChecksSignaturesBeforeItParses) {
  const auto sealed = [](std::string payload) {
    return dsse::serialise(dsse::sign(dsse::kSiteType, std::move(payload), key_of('z')));
  };
  EXPECT_EQ(attempt(sealed("not a policy"), trusted("a")), "ERR_SITE_SIGNATURE threshold");
  EXPECT_EQ(attempt(sealed("not a policy"), trusted("z")), "ERR_SITE_INVALID json");
  const std::string bytes = parse_policy(policy_text({.admins = "z"}), "p").bytes;
  EXPECT_EQ(attempt(sealed(" " + bytes), trusted("z")), "ERR_SITE_INVALID canonical");
  const dsse::Envelope other = dsse::sign(dsse::kStatementType, bytes, key_of('z'));
  EXPECT_EQ(attempt(dsse::serialise(other), trusted("z")), "ERR_SITE_INVALID payload-type");
}

TEST_F(ApplyTest, RefusesEveryByteChanged) {
  const std::string good = signed_by("a", {});
  for (std::size_t i = 0; i < good.size(); i += 5) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    // A key id is a hint that nobody believes: a change there alone does no harm.
    if (bad.find(pub('a').key_id()) == std::string::npos) continue;
    EXPECT_NE(attempt(bad, trusted("a")), "applied") << i;
  }
}

TEST_F(ApplyTest, VerifiesAgainAtEveryLoad) {
  ASSERT_EQ(attempt(signed_by("a", {}), trusted("a")), "applied");
  const std::string policy = home_->site() + "/policy.dsse.json", pinned = home_->site() + "/pinned.json";
  const std::string good_policy = files::read_input(policy, {.max_bytes = 1 << 20}),
                    good_pin = files::read_input(pinned, {.max_bytes = 1 << 20});
  files::write_atomically(policy, signed_by("z", {.admins = "z"}), 0600);
  EXPECT_THROW((void)load_applied(*home_), fault::Error);
  files::write_atomically(policy, good_policy, 0600);
  files::remove_tree(pinned);
  EXPECT_THROW((void)load_applied(*home_), fault::Error);
  store_pinned(*home_,
               {"plant-7", {{canon::sha256(dsse::parse(good_policy, Code::internal, "").payload), 1, trusted("b")}}});
  EXPECT_THROW((void)load_applied(*home_), fault::Error);
  files::write_atomically(pinned, good_pin, 0600);
  EXPECT_NO_THROW((void)load_applied(*home_));
}

TEST_F(ApplyTest, CountsPeopleOnce) {
  dsse::Envelope envelope = dsse::sign(dsse::kSiteType, "x", key_of('a'));
  envelope.signatures.push_back(envelope.signatures[0]);
  EXPECT_EQ(count_signatures(envelope, {pub('a'), pub('b')}), 1);
  envelope.payload_type = dsse::kStatementType;
  EXPECT_EQ(count_signatures(envelope, {pub('a')}), 0);
}

TEST_F(ApplyTest, VerifiesAForeignPolicyWithoutStoringIt) {
  const std::string text = signed_by("a", {});
  EXPECT_EQ(verify_policy(text, "bag", trusted("a"), Code::evidence_untrusted).policy.version, 1);
  for (const TrustRule& rule : {trusted(""), trusted("b")}) {
    try {
      (void)verify_policy(text, "bag", rule, Code::evidence_untrusted);
      ADD_FAILURE();
    } catch (const fault::Error& error) {
      EXPECT_EQ(error.code(), Code::evidence_untrusted);
    }
  }
  EXPECT_EQ(held(), "none");
  EXPECT_FALSE(pinned_trust(*home_));
}

TEST_F(ApplyTest, BelievesAMachinesTrustFileOnlyFromRoot) {
  const std::string path = folder_ + "/trust.json";
  const auto put = [&](unsigned mode, int threshold) {
    files::write_atomically(
        path, fmt::format(R"({{"site":"plant-7","threshold":{},"keys":["{}"]}})", threshold, pub('a').line()), mode);
  };
  EXPECT_FALSE(load_machine_trust(path));
  put(0644, 1);
  if (::geteuid() == 0) {
    EXPECT_EQ(load_machine_trust(path)->rule.admins.at(0), pub('a'));
    put(0644, 2);
  } else {
    EXPECT_THROW((void)load_machine_trust(path), fault::Error);
  }
  EXPECT_THROW((void)load_machine_trust(path), fault::Error);
  put(0666, 1);
  EXPECT_THROW((void)load_machine_trust(path), fault::Error);
}

TEST_F(ApplyTest, MakesAnIdentityOnceAndRenewsIt) {
  EXPECT_THROW((void)load_identity(*home_), fault::Error);
  EXPECT_THROW((void)make_identity(*home_, "../apl", now_), fault::Error);
  const trust::PublicKey first = make_identity(*home_, "apl-1", now_).key.public_key();
  EXPECT_EQ(load_identity(*home_).key.public_key(), first);
  EXPECT_EQ(load_identity(*home_).id, "apl-1");
  EXPECT_THROW((void)make_identity(*home_, "apl-2", now_), fault::Error);
  const trust::PublicKey second = renew_identity(*home_, now_).identity.key.public_key();
  EXPECT_NE(second, first);
  EXPECT_EQ(load_identity(*home_).key.public_key(), second);
  EXPECT_TRUE(std::filesystem::exists(home_->site() + "/identity.1.key"));
}

TEST_F(ApplyTest, NoticesACopiedHome) {
  EXPECT_FALSE(look_at_home(*home_).moved);
  const std::string mark = look_at_home(*home_).mark;
  std::filesystem::copy(home_->path(), folder_ + "/copy", std::filesystem::copy_options::recursive);
  std::filesystem::permissions(folder_ + "/copy", std::filesystem::perms::owner_all);
  const files::Home copy = files::Home::open(folder_ + "/copy");
  EXPECT_TRUE(look_at_home(copy).moved);
  EXPECT_NE(look_at_home(copy).mark, mark);
  settle_home(copy);
  EXPECT_FALSE(look_at_home(copy).moved);
  EXPECT_EQ(look_at_home(*home_).mark, mark);
}

TEST_F(ApplyTest, NamesTheOperatorByUidOnly) {
  ::setenv("USER", "somebody-else", 1);
  ::setenv("SUDO_USER", "somebody-else", 1);
  const std::string user = operator_user();
  EXPECT_NE(user, "somebody-else");
  Tenant tenant{.name = "t", .packs = {}, .operators = {{"Ana Ortiz", user}}, .approvers = {}};
  EXPECT_EQ(operator_name(&tenant), "Ana Ortiz");
  tenant.operators[0].user = "somebody-else";
  EXPECT_EQ(operator_name(&tenant), "unlisted:" + user);
  EXPECT_EQ(operator_name(nullptr), "unlisted:" + user);
}

}  // namespace
}  // namespace stella::site
