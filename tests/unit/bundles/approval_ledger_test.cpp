// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "bundles/approval/ledger.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"
#include "tests/builders/approval_case.hpp"

namespace stella {
namespace {

using approval::Ledger;
using testing::refusal;
using testing::time_of;

class LedgerFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/ledger-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override { files::remove_tree(folder); }
  Ledger open() { return Ledger::open(folder, "apl-hall3", "plant-7", keys); }
  void add(int lines) {
    Ledger ledger = open();
    for (int i = 0; i < lines; ++i)
      ledger.append({.kind = "request", .run = "run:x", .gate = "review", .data = {{"number", i}}}, key,
                    time_of("2026-11-23T17:00:00Z"));
  }
  std::string text() const { return files::read_input(folder + "/approvals.jsonl", {1 << 20, files::Empty::allow}); }
  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
  }
  std::string verdict() {
    return refusal([&] { open(); });
  }

  trust::PrivateKey key = testing::key_of(2);
  std::vector<trust::PublicKey> keys = {key.public_key()};
  std::string folder;
};

TEST_F(LedgerFile, ChainsItsLinesAndSignsEachHead) {
  add(3);
  const Ledger ledger = open();
  ASSERT_EQ(ledger.view().size(), 3);
  EXPECT_EQ(ledger.view().lines[0].prev, std::string(64, '0'));
  EXPECT_EQ(ledger.view().lines[1].prev, canon::merkle_leaf(ledger.view().lines[0].text).hex());
  const auto checkpoint = approval::verify_checkpoint(ledger.checkpoint(), "stella/apl-hall3/plant-7", keys, "test");
  EXPECT_EQ(checkpoint.size, 3);
  EXPECT_EQ(checkpoint.root, canon::merkle_root(ledger.view().leaves));
  const canon::Json line = canon::parse_json(ledger.view().lines[2].text, fault::Code::usage, "test");
  EXPECT_TRUE(line.at("anchors").at("vault").is_null());
  EXPECT_EQ(line.at("clock"), "ok");
}

TEST_F(LedgerFile, NoticesEveryEdit) {
  add(3);
  const std::string good = text();
  std::string edited = good;
  edited.replace(edited.find("\"number\":1"), 10, "\"number\":7");
  put("approvals.jsonl", edited);
  EXPECT_EQ(verdict(), "ERR_JOURNAL_TAMPERED ledger");
  put("approvals.jsonl", good.substr(good.find('\n') + 1));
  EXPECT_EQ(verdict(), "ERR_JOURNAL_TAMPERED ledger");
  put("approvals.jsonl", good.substr(0, good.rfind('\n', good.size() - 2) + 1));
  EXPECT_EQ(verdict(), "ERR_APPROVAL_ROLLBACK shorter");
  put("approvals.jsonl", "");
  EXPECT_EQ(verdict(), "ERR_APPROVAL_ROLLBACK shorter");
  std::string last = good;
  last.replace(last.rfind("\"number\":2"), 10, "\"number\":7");
  put("approvals.jsonl", last);
  EXPECT_EQ(verdict(), "ERR_JOURNAL_TAMPERED ledger");
  put("approvals.jsonl", good);
  EXPECT_EQ(verdict(), "none");
  std::filesystem::remove(folder + "/checkpoint.txt");
  EXPECT_EQ(verdict(), "ERR_JOURNAL_TAMPERED ledger");
}

TEST_F(LedgerFile, NoticesAForeignCheckpoint) {
  add(1);
  const trust::PrivateKey other = testing::key_of(9);
  put("checkpoint.txt",
      checkpoint::sign({"stella/apl-hall3/plant-7", 0, canon::merkle_root({})}, "stella/apl-hall3/plant-7", other));
  EXPECT_EQ(verdict(), "ERR_APPROVAL_SIGNATURE checkpoint");
}

TEST_F(LedgerFile, DropsATornLastLine) {
  add(2);
  put("approvals.jsonl", text() + "{\"anchors\":");
  add(1);
  EXPECT_EQ(open().view().size(), 3);
}

TEST_F(LedgerFile, TakesInALineWhoseCheckpointWasLost) {
  add(1);
  const std::string before = files::read_input(folder + "/checkpoint.txt", {1 << 16});
  add(1);
  put("checkpoint.txt", before);
  add(1);
  EXPECT_EQ(open().view().size(), 3);
  std::filesystem::remove(folder + "/checkpoint.txt");
  std::filesystem::remove(folder + "/approvals.jsonl");
  add(1);
  std::filesystem::remove(folder + "/checkpoint.txt");
  add(1);
  EXPECT_EQ(open().view().size(), 2);
}

TEST_F(LedgerFile, TwoWritersDoNotLoseALine) {
  Ledger first = open(), second = open();
  first.append({.kind = "request", .run = "a"}, key, time_of("2026-11-23T17:00:00Z"));
  second.append({.kind = "request", .run = "b"}, key, time_of("2026-11-23T16:00:00Z"));
  const Ledger ledger = open();
  ASSERT_EQ(ledger.view().size(), 2);
  EXPECT_EQ(ledger.view().lines[1].at, time_of("2026-11-23T17:00:00Z")) << "time never goes back";
}

TEST_F(LedgerFile, RefusesALineOfAnotherForm) {
  add(1);
  const std::string good = text();
  EXPECT_EQ(refusal([&] { (void)approval::parse_ledger("{}\n", "test"); }), "ERR_JOURNAL_TAMPERED ledger");
  EXPECT_EQ(refusal([&] { (void)approval::parse_ledger("x\n", "test"); }), "ERR_JOURNAL_TAMPERED json");
  EXPECT_EQ(refusal([&] { (void)approval::parse_ledger(good + good, "test"); }), "ERR_JOURNAL_TAMPERED ledger");
  EXPECT_EQ(refusal([&] { (void)approval::parse_ledger("{ " + good.substr(1), "test"); }),
            "ERR_JOURNAL_TAMPERED ledger");
  EXPECT_EQ(approval::parse_ledger("", "test").size(), 0);
}

}  // namespace
}  // namespace stella
