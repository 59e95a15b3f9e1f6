// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "appliance/notify/replies.hpp"

namespace stella::notify {
namespace {

TEST(MailReplies, BelongToTheRecipientThatWasAskedFor) {
  Replies replies({"a@x", "b@x", "c@x"});
  replies.heard("220 hello\r\n");
  replies.said("EHLO me\r\n");
  replies.heard("250-here\r\n");
  replies.heard("250 AUTH PLAIN\r\n");
  replies.said("MAIL FROM:<s@x>\r\n");
  replies.heard("250 ok\r\n");
  replies.said("RCPT TO:<a@x>\r\n");
  replies.heard("250 ok\r\n");
  replies.said("RCPT TO:<b@x>\r\n");
  replies.heard("550-who\r\n");
  replies.heard("550 nobody\r\n");
  replies.said("RCPT TO:<c@x>\r\n");
  replies.heard("451 later\r\n");
  replies.said("DATA\r\n");
  replies.heard("354 go on\r\n");
  EXPECT_TRUE(replies.is_about_all());
  EXPECT_EQ(replies.taken(), std::vector<std::string>{"a@x"});
  ASSERT_EQ(replies.refused().size(), 1U);
  EXPECT_EQ(replies.refused()[0].recipient, "b@x");
  EXPECT_EQ(replies.refused()[0].status, 550);
  ASSERT_EQ(replies.later().size(), 1U);
  EXPECT_EQ(replies.later()[0].recipient, "c@x");
}

TEST(MailReplies, TakeNoNonsenseForAnAnswer) {
  Replies replies({"a@x"});
  replies.said("RCPT TO:<a@x>\r\n");
  for (const char* line : {"", "2", "25", "abc", "25x ok", "250-more"}) replies.heard(line);
  EXPECT_FALSE(replies.is_about_all());
  replies.heard("250");
  replies.heard("550 too late");
  EXPECT_EQ(replies.taken(), std::vector<std::string>{"a@x"});
  EXPECT_TRUE(replies.refused().empty());
}

}  // namespace
}  // namespace stella::notify
