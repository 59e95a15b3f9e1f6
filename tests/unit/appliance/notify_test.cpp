// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/appliance/notify_fixture.hpp"

#include "bundles/site/notification.hpp"

namespace stella::notify {
namespace {

TEST(Moments, HaveTopicsThatThePolicysCheckKnows) {
  const auto known = site::notification_topics();
  for (const Moment& moment : moments()) {
    EXPECT_NE(std::find(known.begin(), known.end(), moment.topic), known.end()) << moment.topic;
    EXPECT_NE(std::find(known.begin(), known.end(), moment.event), known.end()) << moment.event;
  }
}

TEST(Wants, TakesATopicAnEventsTypeAndWhatFinishes) {
  site::Notification rule;
  const auto picks = [&](const char* topic, What what) {
    rule.topic = topic;
    return wants(rule, what, "t", "job");
  };
  for (const Moment& moment : moments()) EXPECT_TRUE(picks("pack.run.*", moment.what)) << moment.topic;
  EXPECT_TRUE(picks("pack.gate.*", What::gate_expiring));
  EXPECT_TRUE(picks("pack.network.blocked", What::blocked));
  EXPECT_TRUE(picks("pack.run.finished", What::succeeded));
  EXPECT_TRUE(picks("pack.run.finished", What::paused));
  EXPECT_FALSE(picks("pack.run.finished", What::gate_waiting));
  EXPECT_FALSE(picks("pack.gate.*", What::failed));
  rule.tenants = {"other"};
  EXPECT_FALSE(picks("pack.run.*", What::failed));
}

TEST_F(NotifyTest, TakesNothingOfWhatWasBeforeTheOutbox) {
  policy_.notifications = {rule("pack.run.*", "spool")};
  const auto old = run();
  say(old, "pack.run.failed");
  const auto elsewhere = files::Home::open(folder());
  auto fresh = Outbox::open(elsewhere);
  EXPECT_EQ(gather(fresh, {&journal_, &policy_, "apl"}, clock_.time), 0U);
  say(old, "pack.run.cancelled");
  EXPECT_EQ(gather(fresh, {&journal_, &policy_, "apl"}, clock_.time), 1U);
  EXPECT_EQ(fresh.list({}).at(0).topic, "pack.run.cancelled");
  std::filesystem::remove_all(elsewhere.path());
}

TEST_F(NotifyTest, MakesEachMessageOnceHoweverOftenItLooks) {
  policy_.notifications = {rule("pack.run.*", "spool"), rule("pack.*", "spool"), rule("pack.run.*", "slack")};
  const auto id = run();
  say(id, "pack.run.failed", {{"code", "ERR_PACK_STEP_FAILED"}, {"message", "step a"}});
  EXPECT_EQ(gather_now(), 2U);
  EXPECT_EQ(gather_now(), 0U);
  outbox_.set_seen(id, 0);  // as after a kill before the commit
  outbox_.set_revision(0);
  EXPECT_EQ(gather_now(), 0U);
  EXPECT_EQ(outbox_.list({}).size(), 2U);
}

TEST_F(NotifyTest, TellsOfManyBlockedAttemptsOnce) {
  policy_.notifications = {rule("pack.run.blocked", "spool")};
  const auto id = run();
  for (int i = 0; i < 5; ++i) say(id, "pack.network.blocked", {{"host", "a.example"}, {"port", 443}});
  EXPECT_EQ(gather_now(), 1U);
  EXPECT_NE(only().message.find("was kept from a.example port 443"), std::string::npos);
}

TEST_F(NotifyTest, WarnsOnceOfAGateThatRunsOutSoon) {
  policy_.notifications = {rule("pack.run.gate-expiring", "spool")};
  const auto id = run();
  wait_at(id, 24h);
  EXPECT_EQ(gather_now(), 0U);
  clock_.time += 23h - 1s;
  EXPECT_EQ(gather_now(), 0U);
  clock_.time += 1s;
  EXPECT_EQ(gather_now(), 1U);
  EXPECT_EQ(gather_now(), 0U);
  EXPECT_NE(only().message.find("runs out in 1 h, 2 approvals missing"), std::string::npos) << only().message;
}

TEST_F(NotifyTest, WarnsOfNoGateThatWasDecidedOrRanOut) {
  policy_.notifications = {rule("pack.run.gate-expiring", "spool")};
  const auto approved = run(), late = run();
  wait_at(approved, 1h);
  wait_at(late, 1h);
  (void)gather_now();
  say(approved, "pack.gate.approved", {{"gate", "review"}});
  clock_.time += 2h;
  EXPECT_EQ(gather_now(), 0U);
}

TEST_F(NotifyTest, NamesWhoIsMissingAtAGate) {
  site::Approver ada{.name = "Ada", .keys = {{}}, .scopes = {"packs.approve"}, .roles = {"safety"}};
  site::Approver ben{.name = "Ben", .keys = {{}}, .scopes = {"packs.approve"}, .roles = {}};
  policy_.tenants[0].approvers = {ada, ben};
  policy_.notifications = {rule("pack.run.gate-expiring", "spool")};
  const auto id = run();
  wait_at(id, 1h);
  say(id, "pack.approval.recorded", {{"gate", "review"}, {"decision", "approved"}, {"approver", "Ben"}});
  (void)gather_now();
  clock_.time += 50min;
  (void)gather_now();
  const auto message = canon::parse_json(only().message, fault::Code::internal, "message");
  EXPECT_EQ(message.at("gate").at("approved"), canon::Json::array({"Ben"}));
  EXPECT_EQ(message.at("gate").at("missing"), 1);
  EXPECT_EQ(message.at("gate").at("mayDecide"), canon::Json::array({"Ada (safety)"}));
  EXPECT_EQ(message.at("gate").at("missingRoles"), canon::Json::array({"safety"}));
}

TEST_F(NotifyTest, NamesNobodyWhoAskedForTheRunOrIsBehindTheTokenThatDid) {
  for (const char* name : {"Ada", "Ben", "Cy", "Dee"})
    policy_.tenants[0].approvers.push_back({.name = name, .keys = {{}}, .scopes = {"packs.approve"}, .roles = {}});
  policy_.notifications = {rule("pack.run.gate-waiting", "spool")};
  const auto id = run();
  say(id, "pack.run.resumed", {{"by", "Ada"}});
  say(id, "pack.run.resumed",
      {{"by", "svc"}, {"via", {{"token", "ab"}, {"tenant", "t"}, {"madeBy", "Ben"}, {"for", "Cy"}}}});
  wait_at(id, 1h);
  (void)gather_now();
  const auto message = canon::parse_json(only().message, fault::Code::internal, "message");
  EXPECT_EQ(message.at("gate").at("mayDecide"), canon::Json::array({"Dee"}));
}

TEST_F(NotifyTest, SaysNothingOfAPauseBeforeFinally) {
  policy_.notifications = {rule("pack.run.*", "spool")};
  const auto id = run();
  say(id, "pack.run.paused", {{"owed", {{"state", "failed"}}}});
  EXPECT_EQ(gather_now(), 0U);
  say(id, "pack.run.paused", {{"code", "ERR_PACK_INTERRUPTED"}});
  EXPECT_EQ(gather_now(), 1U);
}

TEST_F(NotifyTest, ForgetsSettledOnesAndRunsThatArePruned) {
  policy_.notifications = {rule("pack.run.*", "slack")};
  const auto id = run();
  say(id, "pack.run.succeeded");
  (void)gather_now();
  ASSERT_EQ(deliver_now().sent, 1U);
  EXPECT_FALSE(outbox_.tidied());
  outbox_.mark_exported({"slack/there.json", "slack/gone.json"}, clock_.time);
  outbox_.tidy({.before = clock_.time + 1s,
                .has_run = [](const std::string&) { return false; },
                .has_file = [](const std::string& file) { return file == "slack/there.json"; }},
               clock_.time);
  EXPECT_EQ(outbox_.tidied(), clock_.time);
  EXPECT_TRUE(outbox_.exported("slack/there.json"));
  EXPECT_FALSE(outbox_.exported("slack/gone.json"));
  EXPECT_TRUE(outbox_.list({}).empty());
  EXPECT_EQ(outbox_.seen(id), 0);
}

}  // namespace
}  // namespace stella::notify
