// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/payload.hpp"

#include <gtest/gtest.h>

#include "appliance/notify/wording.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::notify {
namespace {

const std::string kHostile =
    "<!channel> *bold* `code` & \r\nBcc: eve@evil.example\r\n\r\n\xe2\x80\xae" + std::string(5000, 'x');

Message rejected(const std::string& comment) {
  static site::Policy policy;
  policy.site = "plant-7";
  journal::RunRow row;
  row.id = "run:t:20261128T120000000Z";
  row.tenant = "t";
  row.pack = "job";
  row.version = "1.0.0";
  row.plan_hash = "sha256:" + std::string(64, 'a');
  journal::Event event;
  event.seq = 7;
  event.run = row.id;
  event.type = "pack.gate.rejected";
  event.data = {{"gate", "review"}, {"by", comment}, {"comment", comment}};
  return make_message({&policy, "apl"}, row, event, What::gate_rejected, std::nullopt);
}

site::Notification mail() {
  site::Notification rule;
  rule.to = "email";
  rule.from = "stella@plant.example";
  rule.recipients = {"a@b.example", "c@d.example"};
  return rule;
}

TEST(Messages, AreBoundedPrintableAndNameTheRun) {
  const Message message = rejected(kHostile);
  EXPECT_LT(message.text.size(), 3000U);
  EXPECT_EQ(message.text.find('\n'), std::string::npos);
  EXPECT_EQ(message.headline.find('\n'), std::string::npos);
  EXPECT_EQ(message.next, "stella pack runs resume --run run:t:20261128T120000000Z");
  const auto json = json_of(message, "id");
  for (const char* name : {"id", "tenant", "pack", "version", "planHash", "state", "attempt"})
    EXPECT_TRUE(json.at("run").contains(name)) << name;
}

TEST(Messages, HaveIdsThatDependOnTheTargetAndTheEventOnly) {
  Message message = rejected("no");
  const auto id = id_of(message, "a");
  EXPECT_EQ(id.size(), 32U);
  EXPECT_NE(id, id_of(message, "b"));
  message.headline = "other words";
  EXPECT_EQ(id, id_of(message, "a"));
  message.seq = 8;
  EXPECT_NE(id, id_of(message, "a"));
}

TEST(Slack, EscapesWhatCouldMentionFormatOrLink) {
  const auto json = slack_json(rejected(kHostile));
  const std::string text = json.dump();
  EXPECT_EQ(text.find("<!channel>"), std::string::npos);
  EXPECT_NE(text.find("&lt;!channel&gt;"), std::string::npos);
  EXPECT_EQ(json.at("mrkdwn"), false);
  for (const auto& block : json.at("blocks")) {
    if (block.contains("text") && block.at("text").at("type") == "mrkdwn") {
      const std::string code = block.at("text").at("text");
      EXPECT_TRUE(code.starts_with("```") && code.ends_with("```")) << code;
      EXPECT_EQ(code.find('`', 3), code.size() - 3);
    }
  }
  // docs.slack.dev, Block Kit: header 150 characters, ten fields of 2,000, text of a section 3,000.
  EXPECT_LE(json.at("blocks")[0].at("text").at("text").get<std::string>().size(), 150U);
  EXPECT_LE(json.at("blocks")[1].at("fields").size(), 10U);
  for (const auto& field : json.at("blocks")[1].at("fields"))
    EXPECT_LE(field.at("text").get<std::string>().size(), 2000U);
  for (const auto& block : json.at("blocks")) {
    const std::string text_of_block = block.contains("text") ? block.at("text").at("text").get<std::string>() : "";
    EXPECT_LE(text_of_block.size(), 3000U);
  }
  Message many = rejected("no");
  many.headline = std::string(200, '&');
  EXPECT_LE(slack_json(many).at("blocks")[0].at("text").at("text").get<std::string>().size(), 150U);
}

TEST(Email, KeepsForeignTextOutOfItsHeaders) {
  const std::string text = email_text(rejected(kHostile), mail(), "0123456789abcdef0123456789abcdef");
  const std::string head = text.substr(0, text.find("\r\n\r\n"));
  EXPECT_EQ(head.find("\r\nBcc:"), std::string::npos);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 998U);
    for (const char c : text.substr(at, end - at)) EXPECT_TRUE(c >= ' ' && c <= '~');
    at = end + 2;
  }
}

TEST(Email, EncodesASubjectThatIsNotAscii) {
  Message message = rejected("no");
  message.headline = "Prüfung läuft ab – bitte entscheiden, es sind nur noch wenige Minuten übrig";
  const std::string text = email_text(message, mail(), "0123456789abcdef0123456789abcdef");
  const std::size_t from = text.find("Subject: "), to = text.find("Message-ID:");
  EXPECT_NE(text.substr(from, to - from).find("=?utf-8?B?"), std::string::npos);
  EXPECT_NE(text.find("Message-ID: <stella.0123456789abcdef0123456789abcdef@plant.example>"), std::string::npos);
}

TEST(PagerDuty, OpensAndClosesOneMatter) {
  Message message = rejected("no");
  EXPECT_EQ(pagerduty_json(message, "id").at("event_action"), "resolve");
  message.what = What::failed;
  const auto failed = pagerduty_json(message, "id");
  EXPECT_EQ(failed.at("event_action"), "trigger");
  message.what = What::succeeded;
  message.seq = 20;
  EXPECT_EQ(pagerduty_json(message, "id2").at("dedup_key"), failed.at("dedup_key"));
  EXPECT_LE(pagerduty_json(rejected(kHostile), "id").at("payload").at("summary").get<std::string>().size(), 1024U);
}

TEST(Cut, EndsBetweenCharacters) {
  EXPECT_EQ(cut("short", 10), "short");
  EXPECT_EQ(cut("äääää", 8), "ää…");
}

}  // namespace
}  // namespace stella::notify
