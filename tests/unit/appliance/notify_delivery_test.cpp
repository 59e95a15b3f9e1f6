// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "appliance/notify/credential.hpp"
#include "appliance/notify/request.hpp"
#include "tests/unit/appliance/notify_fixture.hpp"

namespace stella::notify {
namespace {

class DeliveryTest : public NotifyTest {
 protected:
  DeliveryTest() {
    policy_.notifications = {rule("pack.run.*", "webhook")};
    say(run(), "pack.run.failed", {{"code", "ERR_PACK_STEP_FAILED"}});
    (void)gather_now();
  }
  [[nodiscard]] std::size_t files() const { return list_spool(home_, &outbox_).size(); }
};

TEST_F(DeliveryTest, SendsOnceAndSettles) {
  EXPECT_EQ(deliver_now().sent, 1U);
  EXPECT_EQ(deliver_now().sent, 0U);
  EXPECT_EQ(courier_.carried, std::vector<std::string>{only().id});
  EXPECT_EQ(only().state, State::sent);
  EXPECT_EQ(files(), 0U);
}

TEST_F(DeliveryTest, TriesAgainUnderTheSameIdWhenItIsDue) {
  courier_.answers = {{Verdict::later, "http-503", "busy"}, {Verdict::sent, {}, {}}};
  EXPECT_EQ(deliver_now().left, 1U);
  EXPECT_EQ(only().reason, "http-503");
  EXPECT_GE(only().next, clock_.time + 4s);
  EXPECT_EQ(deliver_now().left, 1U);  // not due yet
  EXPECT_EQ(courier_.carried.size(), 1U);
  clock_.time += 6s;
  EXPECT_EQ(deliver_now().sent, 1U);
  EXPECT_EQ(courier_.carried, std::vector<std::string>(2, only().id));
}

TEST_F(DeliveryTest, AsksOnlyForRecipientsThatHaveNoAnswerYet) {
  policy_.notifications = {rule("pack.run.*", "email")};
  policy_.notifications[0].recipients = {"a@x", "b@x", "c@x"};
  policy_.notifications[0].port = 443;
  Answer some{Verdict::later, "smtp-451", "c@x is to be tried again (451)"};
  some.closed = {"a@x", "b@x"};
  courier_.answers = {some, {Verdict::refused, "smtp-550", "nobody"}};
  say(run(), "pack.run.failed", {{"code", "ERR_PACK_STEP_FAILED"}});
  (void)gather_now();
  EXPECT_EQ(deliver_now().missed, 1U);
  clock_.time += 6s;
  const Delivered done = deliver_now();
  EXPECT_EQ(done.sent + done.failed, 1U);
  EXPECT_EQ(done.failed, 0U);  // two have it: a file in the spool would reach them again
  EXPECT_EQ(courier_.recipients, (std::vector<std::vector<std::string>>{{"a@x", "b@x", "c@x"}, {"c@x"}}));
}

TEST_F(DeliveryTest, WaitsAsLongAsTheReceiverAsks) {
  courier_.answers = {{Verdict::later, "http-429", "slow down", clock::Duration(10min)}};
  (void)deliver_now();
  EXPECT_EQ(only().next, clock_.time + 10min);
}

TEST_F(DeliveryTest, GivesUpAfterThreeDaysAndSpools) {
  courier_.answers = {{Verdict::later, "connect", "nobody there"}};
  clock_.time += 72h;
  EXPECT_EQ(deliver_now().failed, 1U);
  EXPECT_EQ(only().state, State::failed);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(outbox_.requeue_failed(clock_.time), 1U);
  courier_.answers.clear();
  EXPECT_EQ(deliver_now().sent, 1U);
}

TEST_F(DeliveryTest, SpoolsWhatIsRefused) {
  courier_.answers = {{Verdict::refused, "http-404", "gone"}};
  EXPECT_EQ(deliver_now().failed, 1U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(DeliveryTest, LeavesWhatIsBehindAFailureOfTheSameReceiver) {
  say(run(), "pack.run.failed");
  (void)gather_now();
  courier_.answers = {{Verdict::later, "connect", "nobody there"}};
  EXPECT_EQ(deliver_now().left, 2U);
  EXPECT_EQ(courier_.carried.size(), 1U);
}

TEST_F(DeliveryTest, BeginsNoPostWithoutAllTheTimeThatOneMayTake) {
  EXPECT_EQ(deliver_now({.within = 14s, .each = 15s}).left, 1U);
  EXPECT_TRUE(courier_.carried.empty());
  EXPECT_EQ(only().attempts, 0);
  EXPECT_EQ(deliver_now({.within = 30s, .each = 15s}).sent, 1U);
}

TEST_F(DeliveryTest, BarsAllButTheWayThatThePolicyHasToday) {
  policy_.mode = site::Mode::sealed;
  EXPECT_EQ(deliver_now().spooled, 1U);
  EXPECT_TRUE(courier_.carried.empty());
  EXPECT_EQ(only().code, "AIRGAP_EGRESS_BLOCKED");
  EXPECT_EQ(only().reason, "sealed");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DeliveryTest, BarsAReceiverWithoutAnEntry) {
  for (const auto mode : {site::Mode::constrained, site::Mode::connected}) {
    policy_.mode = mode;
    policy_.allow[0].for_stella = false;
    EXPECT_EQ(std::get<Barred>(find_way(policy_, policy_.notifications[0], "job")).reason, "not-allowed");
    policy_.allow[0].for_stella = true;
    policy_.allow[0].port = 8443;
    EXPECT_EQ(std::get<Barred>(find_way(policy_, policy_.notifications[0], "job")).reason, "not-allowed");
    policy_.allow[0].port = 443;
    policy_.allow[0].packs = {"other-*"};
    EXPECT_EQ(std::get<Barred>(find_way(policy_, policy_.notifications[0], "job")).reason, "not-allowed");
    policy_.allow[0].packs = {};
    EXPECT_EQ(std::get<Way>(find_way(policy_, policy_.notifications[0], "job")).addresses.at(0), "10.0.0.1");
  }
}

TEST_F(DeliveryTest, BarsAReceiverThatThePolicyNamesNoMore) {
  policy_.notifications = {rule("pack.run.*", "spool")};
  EXPECT_EQ(deliver_now().spooled, 1U);
  EXPECT_EQ(only().reason, "rule-gone");
  EXPECT_TRUE(courier_.carried.empty());
}

TEST_F(DeliveryTest, KeepsAMessageWhoseCredentialIsNotThere) {
  policy_.notifications[0].credential = "token";
  say(run(), "pack.run.failed");
  (void)gather_now();
  (void)deliver_now();
  const auto lines = outbox_.lines();
  ASSERT_EQ(lines.size(), 1U);
  const auto queued = outbox_.queued(lines[0], 10);
  ASSERT_EQ(queued.size(), 1U);
  EXPECT_EQ(queued[0].reason, "credential");
  EXPECT_TRUE(courier_.carried.empty());
}

TEST_F(DeliveryTest, SpoolsTheSameBytesUnderTheSameName) {
  const Entry entry = only();
  write_spool(home_, entry, {"", "", ""});
  const auto first = list_spool(home_, &outbox_);
  write_spool(home_, entry, {"", "", ""});
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(list_spool(home_, &outbox_).at(0).path, first.at(0).path);
}

TEST(Backoff, GrowsToAnHourAndIsSpread) {
  EXPECT_EQ(delay_after(1, 0.5), 5s);
  EXPECT_EQ(delay_after(2, 0.5), 10s);
  EXPECT_EQ(delay_after(60, 0.5), 1h);
  EXPECT_EQ(delay_after(1, 0.0), 4s);
  EXPECT_EQ(delay_after(1, 1.0), 6s);
}

TEST(Answers, AreReadByTheirStatus) {
  EXPECT_EQ(read_http_status(204).verdict, Verdict::sent);
  for (const long status : {408L, 425L, 429L, 500L, 503L}) EXPECT_EQ(read_http_status(status).verdict, Verdict::later);
  for (const long status : {301L, 307L, 400L, 403L, 404L, 410L})
    EXPECT_EQ(read_http_status(status).verdict, Verdict::refused);
  EXPECT_EQ(read_smtp_status(450).verdict, Verdict::later);
  EXPECT_EQ(read_smtp_status(550).verdict, Verdict::refused);
}

class CredentialTest : public NotifyTest {
 protected:
  void put(const std::string& text, unsigned mode) {
    std::filesystem::create_directories(credentials_of(home_));
    const std::string path = credentials_of(home_) + "/token";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      (void)load_credential(home_, "token");
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "";
  }
};

TEST_F(CredentialTest, IsTheFirstLineOfAPrivateFile) {
  put("secret\nsecond\n", 0600);
  EXPECT_EQ(load_credential(home_, "token").view(), "secret");
  EXPECT_TRUE(load_credential(home_, "").empty());
}

TEST_F(CredentialTest, IsRefusedWhenOthersCanReadItOrItIsNoText) {
  put("secret\n", 0640);
  EXPECT_EQ(refusal(), "mode");
  put("sec ret\n", 0600);
  EXPECT_EQ(refusal(), "format");
  put("\n", 0600);
  EXPECT_EQ(refusal(), "format");
}

TEST_F(CredentialTest, StandsWhereTheReceiverWantsIt) {
  site::Notification to = rule("pack.run.*", "slack");
  to.path = "/services";
  const Parcel parcel{
      .rule = &to, .way = {"hooks.example", 443, {}}, .id = "1", .payload = "{\"a\":1}", .sender = "s", .ca_file = {}};
  const auto token = locked::Bytes::copy_of(std::string_view("T0/B0/x"));
  EXPECT_EQ(make_request(parcel, token).url.view(),
            std::string_view("https://hooks.example:443/services/T0/B0/x\0", 43));
  to.to = "pagerduty";
  to.path = "/";
  const auto key = locked::Bytes::copy_of(std::string_view("R0"));
  EXPECT_EQ(make_request(parcel, key).body.view(), "{\"routing_key\":\"R0\",\"a\":1}");
  EXPECT_EQ(make_request(parcel, key).url.view(), std::string_view("https://hooks.example:443/v2/enqueue\0", 37));
  to.to = "webhook";
  EXPECT_EQ(make_request(parcel, key).authorization.view(), std::string_view("Authorization: Bearer R0\0", 25));
}

TEST_F(CredentialTest, IsRefusedWhereItWouldBreakOut) {
  site::Notification to = rule("pack.run.*", "slack");
  const Parcel parcel{
      .rule = &to, .way = {"hooks.example", 443, {}}, .id = "1", .payload = "{}", .sender = "s", .ca_file = {}};
  const auto refused = [&](const char* kind, std::string_view text) {
    to.to = kind;
    EXPECT_THROW((void)make_request(parcel, locked::Bytes::copy_of(text)), fault::Error) << kind << " " << text;
  };
  refused("slack", "../../other");
  refused("slack", "a?b#c");
  refused("pagerduty", "a\",\"b");
  refused("email", "no-colon");
}

}  // namespace
}  // namespace stella::notify
