// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "appliance/access/session.hpp"
#include "appliance/access/store.hpp"
#include "appliance/access/token.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::access {
namespace {

class AccessTest : public testing::Test {
 protected:
  AccessTest() { home_.emplace(files::Home::open(folder_ / "home")); }
  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  static Wish wish(std::optional<clock::Duration> valid_for = {}) {
    return {.tenant = "plant-7", .made_by = "ana", .scopes = {Scope::read}, .valid_for = valid_for};
  }
  Made add(std::optional<clock::Duration> valid_for = {}) const {
    Made made = make_token(wish(valid_for), at(0));
    add_token(*home_, made.token, at(0));
    return made;
  }
  static std::string reason_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "nothing was thrown";
  }
  tests::TemporaryFolder folder_;
  std::optional<files::Home> home_;
};

TEST_F(AccessTest, TakesScopesInAnyCaseAndRefusesOthers) {
  EXPECT_EQ(names_of(parse_scopes("Packs.Approve,packs.read")), "packs.read,packs.approve");
  for (const char* bad : {"", "packs.write", "packs.read,", "packs.read packs.run"})
    EXPECT_EQ(reason_of([&] { (void)parse_scopes(bad); }), "scopes") << bad;
}

TEST_F(AccessTest, KeepsOnlyADigestOfAToken) {
  const Made made = add();
  const std::string file =
      files::read_input(home_->path() + "/access/tokens.json", {1 << 20, files::Empty::refuse, files::Links::refuse});
  EXPECT_EQ(file.find(made.text.substr(20)), std::string::npos);
  EXPECT_NE(file.find(canon::sha256(made.text).tagged()), std::string::npos);
}

TEST_F(AccessTest, FindsATokenByItsWholeTextOnly) {
  Keyring keyring(*home_);
  const Made made = add();
  ASSERT_TRUE(keyring.find(made.text));
  EXPECT_EQ(keyring.find(made.text)->tenant, "plant-7");
  std::string other = made.text;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_FALSE(keyring.find(other));
  for (const std::string& bad :
       {std::string(), made.text + "0", made.text.substr(1), std::string("Bearer"), std::string(90, 'a')})
    EXPECT_FALSE(keyring.find(bad)) << bad;
}

TEST_F(AccessTest, SeesARevocationWithoutARestart) {
  Keyring keyring(*home_);
  const Made made = add();
  EXPECT_TRUE(keyring.find(made.text)->is_good_at(at(1)));
  revoke_token(*home_, made.token.id, at(2));
  EXPECT_FALSE(keyring.find(made.text)->is_good_at(at(3)));
  EXPECT_EQ(revoke_token(*home_, made.token.id, at(9)).revoked, at(2));  // the first time stays
  EXPECT_EQ(reason_of([&] { (void)revoke_token(*home_, "000000000000", at(0)); }), "token");
}

TEST_F(AccessTest, LetsATokenExpire) {
  const Made made = add(std::chrono::minutes(5));
  EXPECT_TRUE(made.token.is_good_at(at(299)));
  EXPECT_FALSE(made.token.is_good_at(at(300)));
}

TEST_F(AccessTest, ForgetsWhatEndedLongAgoAndRefusesTooMany) {
  const Made old = add(std::chrono::minutes(5));
  const Made kept = make_token(wish(), at(0));
  add_token(*home_, kept.token, at(0) + std::chrono::hours(24 * 91));
  ASSERT_EQ(load_tokens(*home_).size(), 1U);
  EXPECT_EQ(load_tokens(*home_)[0].id, kept.token.id);
  canon::Json tokens = canon::Json::array();
  for (std::size_t i = 0; i < kMaxTokens; ++i) tokens.push_back(to_json(make_token(wish(), at(0)).token));
  files::write_atomically(home_->path() + "/access/tokens.json",
                          canon::pretty({{"schema", "stella.tokens.v1"}, {"tokens", tokens}}), 0600);
  EXPECT_EQ(reason_of([&] { add_token(*home_, old.token, at(0)); }), "full");
}

TEST_F(AccessTest, LosesNoTokenWhenTwoMakeOneAtOnce) {
  const auto make_some = [&] {
    for (int i = 0; i < 10; ++i) add();
  };
  std::thread one(make_some), two(make_some);
  one.join();
  two.join();
  EXPECT_EQ(load_tokens(*home_).size(), 20U);
}

TEST_F(AccessTest, RefusesAForeignTokenFile) {
  (void)add();
  for (const char* text : {"{}", "[]", R"({"schema":"stella.tokens.v2","tokens":[]})",
                           R"({"schema":"stella.tokens.v1","tokens":[{"id":"x"}]})"}) {
    files::write_atomically(home_->path() + "/access/tokens.json", text, 0600);
    EXPECT_EQ(reason_of([&] { (void)load_tokens(*home_); }), "tokens") << text;
  }
}

// Source: RFC 4231, test cases 2 and 6.
TEST(Hmac, FitsThePublishedVectors) {
  const auto bytes = [](std::string_view text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  EXPECT_EQ(hmac_sha256(bytes("Jefe"), "what do ya want for nothing?").hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hmac_sha256(bytes(std::string(131, '\xaa')), "Test Using Larger Than Block-Size Key - Hash Key First").hex(),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_F(AccessTest, ASessionOutlivesTheServerButNotItsEnd) {
  std::string cookie;
  {
    Sessions before(*home_);
    cookie = before.begin("0123456789ab", std::nullopt, at(0));
  }
  Sessions after(*home_);
  ASSERT_TRUE(after.find(cookie, at(10)));
  EXPECT_EQ(after.find(cookie, at(10))->token_id, "0123456789ab");
  EXPECT_FALSE(after.find(cookie, at(12 * 3600)));
  EXPECT_EQ(after.find(after.begin("0123456789ab", at(60), at(0)), at(59))->until, at(60));
}

TEST_F(AccessTest, ASessionThatWasChangedOrLoggedOutIsNone) {
  Sessions sessions(*home_);
  const std::string cookie = sessions.begin("0123456789ab", std::nullopt, at(0));
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    std::string other = cookie;
    other[i] = other[i] == '1' ? '2' : '1';
    EXPECT_TRUE(other == cookie || !sessions.find(other, at(1))) << i;
  }
  for (const char* bad : {"", "...", "a.b.c", "a.b.c.d.e"}) EXPECT_FALSE(sessions.find(bad, at(1)));
  sessions.end(*sessions.find(cookie, at(1)));
  EXPECT_FALSE(sessions.find(cookie, at(2)));
}

TEST_F(AccessTest, ALogoutOutlivesTheServerAndCountsForOthers) {
  Sessions one(*home_), other(*home_);
  const std::string gone = one.begin("0123456789ab", std::nullopt, at(0)),
                    kept = one.begin("0123456789ab", std::nullopt, at(0));
  ASSERT_TRUE(other.find(gone, at(1)));
  one.end(*one.find(gone, at(1)));
  EXPECT_FALSE(other.find(gone, at(2)));
  Sessions after(*home_);
  EXPECT_FALSE(after.find(gone, at(3)));
  EXPECT_TRUE(after.find(kept, at(3)));
  after.end(*after.find(kept, at(3)));
  EXPECT_FALSE(one.find(kept, at(4)));
  EXPECT_EQ(load_ended(*home_).sessions.size(), 2U);
}

TEST_F(AccessTest, ForgetsALogoutOnlyWithTheSessionsThatEndNoLater) {
  Ended ended;
  for (std::size_t i = 0; i <= kMaxEnded; ++i) ended.add(at(100 + static_cast<int>(i)), std::to_string(i));
  EXPECT_EQ(ended.sessions.size(), kMaxEnded);
  EXPECT_TRUE(ended.contains(at(100), "0"));
  EXPECT_TRUE(ended.contains(at(100), "one that never logged out"));
  EXPECT_FALSE(ended.contains(at(101), "another"));
  Ended other;
  for (std::size_t i = 0; i < 5; ++i) other.add(at(200), "other " + std::to_string(i));
  ended.merge(other);
  EXPECT_EQ(ended.sessions.size(), kMaxEnded);
  EXPECT_TRUE(ended.contains(at(200), "other 4"));
  const files::Fd lock = lock_store(*home_);
  save_ended(*home_, ended);
  EXPECT_EQ(load_ended(*home_).before, at(105));
}

TEST_F(AccessTest, ALogoutOutlivesAClockThatLeapsForwardAndBack) {
  Sessions sessions(*home_);
  const std::string gone = sessions.begin("0123456789ab", std::nullopt, at(0));
  sessions.end(*sessions.find(gone, at(1)));
  const clock::Time leapt = at(0) + std::chrono::hours(24 * 365);
  const std::string later = sessions.begin("0123456789ab", std::nullopt, leapt);
  sessions.end(*sessions.find(later, leapt));
  EXPECT_FALSE(sessions.find(gone, at(2)));
  EXPECT_FALSE(Sessions(*home_).find(gone, at(2)));
}

TEST_F(AccessTest, LetsNobodyInByASessionWhileTheListOfLogoutsIsForeign) {
  Sessions sessions(*home_);
  const std::string cookie = sessions.begin("0123456789ab", std::nullopt, at(0));
  for (const char* text :
       {"{}", "[]", R"({"schema":"stella.sessions.v1","before":"now","ended":[]})",
        R"({"schema":"stella.sessions.v1","before":"2026-11-23T00:00:00Z","ended":[{"until":1}]})"}) {
    files::write_atomically(ended_path(*home_), text, 0600);
    EXPECT_NE(reason_of([&] { (void)sessions.find(cookie, at(1)); }), "nothing was thrown") << text;
    Sessions fresh(*home_);  // what needs no session goes on
    EXPECT_NE(reason_of([&] { fresh.check(); }), "nothing was thrown") << text;
    EXPECT_NE(reason_of([&] { (void)fresh.find(cookie, at(1)); }), "nothing was thrown") << text;
    EXPECT_NE(reason_of([&] { (void)fresh.begin("0123456789ab", std::nullopt, at(1)); }), "nothing was thrown");
  }
  try {
    sessions.check();
  } catch (const fault::Error& error) {
    EXPECT_NE(error.fix().find("access/session.key"), std::string::npos);
  }
}

TEST_F(AccessTest, AFormTokenFitsItsOwnSessionOnly) {
  Sessions sessions(*home_);
  const std::string one = sessions.begin("0123456789ab", std::nullopt, at(0)),
                    two = sessions.begin("0123456789ab", std::nullopt, at(0));
  EXPECT_TRUE(sessions.is_form_token(one, sessions.form_token(one)));
  EXPECT_FALSE(sessions.is_form_token(two, sessions.form_token(one)));
  EXPECT_FALSE(sessions.is_form_token(one, ""));
}

}  // namespace
}  // namespace stella::access
