// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <fstream>

#include "bundles/approval/desk.hpp"
#include "bundles/approval/review.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

using approval::Request;
using testing::ApprovalCase;
using testing::refusal;

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0, columns = 0;
  for (const char c : text) {
    if (c == '\n')
      columns = 0;
    else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U)
      widest = std::max(widest, ++columns);
  }
  return widest;
}

// Made by this code from the builder's request and read by a person; a change of the text changes every displaySha256.
TEST(ApprovalReview, IsTheGoldenText) {
  const std::string path = std::string(STELLA_TEST_VECTORS) + "/approval/review.txt";
  const std::string text = approval::review_text(ApprovalCase().make());
  if (std::getenv("STELLA_WRITE_GOLDEN") != nullptr) files::write_atomically(path, text, 0644);
  EXPECT_EQ(text, files::read_input(path, {1 << 20}));
}

TEST(ApprovalReview, DependsOnTheRequestFileOnly) {
  const Request request = ApprovalCase().make();
  const std::string before = approval::review_text(request);
  ::setenv("TZ", "Asia/Tokyo", 1);
  ::setenv("COLUMNS", "200", 1);
  EXPECT_EQ(approval::review_text(approval::verify_request(approval::read_parcel(request.parcel.bytes, "another name"),
                                                           ApprovalCase().policy())),
            before);
  EXPECT_EQ(approval::display_digest(request), canon::sha256(before));
}

TEST(ApprovalReview, NamesEverySecretWithEveryHost) {
  const std::string text = approval::review_text(ApprovalCase().make());
  EXPECT_NE(text.find("plc-token -> historian.plant.example at 10.1.2.3 port 443"), std::string::npos);
  EXPECT_NE(text.find("uses the appliance's own programs"), std::string::npos);
  EXPECT_NE(text.find("Ana Ortiz (cannot approve this)"), std::string::npos);
}

TEST(ApprovalReview, EscapesForeignTextAndKeepsItsWidth) {
  ApprovalCase c;
  c.inputs = {{"cell",
               "\x1b[2J\xE2\x80\xAE"
               "evil\nAPPROVED"},
              {"long", std::string(1000, 'x')},
              {"wide", "äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü"}};
  const std::string text = approval::review_text(c.make());
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_EQ(text.find("\nAPPROVED"), std::string::npos);
  EXPECT_LE(widest_line(text), 80U);
  std::size_t count = 0;
  for (const char each : text) count += each == 'x' ? 1U : 0U;
  EXPECT_GE(count, 1000U) << "nothing is left out";
}

class Desk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/desk-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override { files::remove_tree(folder); }
  std::string visit(const ApprovalCase& c) {
    const files::Home home = files::Home::open(folder);
    const Request request = c.make();
    const std::string verdict = refusal([&] { approval::require_not_older(home, request); });
    if (verdict == "none") approval::remember(home, request);
    return verdict;
  }
  std::string folder;
};

TEST_F(Desk, RefusesAnOlderPolicy) {
  ApprovalCase c;
  EXPECT_EQ(visit(c), "none");
  EXPECT_EQ(visit(c), "none");
  c.policy_version = 2;
  EXPECT_EQ(visit(c), "ERR_APPROVAL_ROLLBACK policy");
  c.policy_version = 3;
  c.requester_may = true;
  EXPECT_EQ(visit(c), "ERR_APPROVAL_ROLLBACK policy") << "the same version with other bytes";
  c.policy_version = 4;
  EXPECT_EQ(visit(c), "none");
}

TEST_F(Desk, RefusesALedgerThatShrankOrForked) {
  ApprovalCase c, first;
  EXPECT_EQ(visit(first), "none");
  c.leaves.push_back(canon::merkle_leaf("three"));
  c.request_id = std::string(32, '1');
  EXPECT_EQ(visit(c), "none");
  EXPECT_EQ(visit(first), "none") << "a request that was here before a later one may still be signed";
  ApprovalCase shrunk;
  shrunk.request_id = std::string(32, '2');
  EXPECT_EQ(visit(shrunk), "ERR_APPROVAL_ROLLBACK ledger");
  ApprovalCase forked;
  forked.leaves = c.leaves;
  forked.leaves[1] = canon::merkle_leaf("other");
  forked.leaves.push_back(canon::merkle_leaf("four"));
  forked.request_id = std::string(32, '3');
  EXPECT_EQ(visit(forked), "ERR_APPROVAL_ROLLBACK ledger");
}

}  // namespace
}  // namespace stella
