// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bundles/evidence/bag.hpp"
#include "bundles/evidence/check.hpp"
#include "bundles/evidence/journal_lines.hpp"
#include "bundles/evidence/names.hpp"
#include "bundles/files/write.hpp"

using namespace stella;
namespace fs = std::filesystem;

namespace {

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason() + " " + error.at();
  }
  return "accepted";
}

class Bag : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "stella-bag.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
    folder = root + "/evidence/bag";
    files::make_folders(root + "/source");
    files::write_atomically(root + "/source/report.txt", "all is well\n", 0644);
    evidence::BagWriter writer(folder);
    writer.add("data/plan.json", "{}");
    writer.add_file("data/artifacts/report.txt", root + "/source", "report.txt");
    writer.add("journal.jsonl", "x\n");
    list = writer.finish({"run:t:1", "t", "succeeded", "personal", 1, "", {}, "stella test"},
                         trust::PrivateKey::generate());
  }
  void TearDown() override { files::remove_tree(root); }
  std::string check() {
    return refusal([&] { (void)evidence::check_integrity(folder); });
  }
  void flip(const std::string& path) {
    std::fstream file(folder + "/" + path, std::ios::in | std::ios::out | std::ios::binary);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(0);
    file.put(byte);
  }
  std::string root, folder;
  canon::Digest list;
};

}  // namespace

TEST_F(Bag, IsAcceptedAsItWasSealed) {
  EXPECT_EQ(check(), "accepted");
  EXPECT_EQ(evidence::check_integrity(folder).list_digest, list);
  EXPECT_EQ(evidence::find_bag(root + "/evidence"), root + "/evidence/bag");
}

TEST_F(Bag, NamesEachFileOfWhichOneBitChanged) {
  for (const char* path :
       {"data/plan.json", "data/artifacts/report.txt", "journal.jsonl", "bag-info.txt", "manifest-sha256.txt"}) {
    flip(path);
    EXPECT_EQ(check(), std::string("ERR_EVIDENCE_TAMPERED content ") + path);
    flip(path);
  }
  flip("SHA256SUMS");
  EXPECT_EQ(check(), "ERR_EVIDENCE_TAMPERED list SHA256SUMS");
}

TEST_F(Bag, SeesWhatWasAddedRemovedOrReplacedByALink) {
  files::write_atomically(folder + "/data/extra", "x", 0644);
  EXPECT_EQ(check(), "ERR_EVIDENCE_INCOMPLETE extra data/extra");
  fs::remove(folder + "/data/extra");
  files::write_atomically(folder + "/SHA256SUMS.extra", "x", 0644);
  EXPECT_EQ(check(), "ERR_EVIDENCE_INCOMPLETE extra SHA256SUMS.extra");
  fs::remove(folder + "/SHA256SUMS.extra");
  fs::remove(folder + "/data/plan.json");
  EXPECT_EQ(check(), "ERR_EVIDENCE_INCOMPLETE missing data/plan.json");
  fs::create_symlink("/etc/passwd", folder + "/data/plan.json");
  EXPECT_EQ(check(), "ERR_EVIDENCE_TAMPERED kind data/plan.json");
}

TEST_F(Bag, ListThatSomebodyWroteAnewIsNotTheSignedOne) {
  files::write_atomically(folder + "/journal.jsonl", "y\n", 0644);
  evidence::Sums sums = evidence::parse_sums("", "x");
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = fs::relative(entry.path(), folder).string();
    if (!entry.is_regular_file() || path.starts_with("SHA256SUMS")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    sums[path] = canon::sha256(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  files::write_atomically(folder + "/SHA256SUMS", evidence::format_sums(sums), 0644);
  EXPECT_EQ(check(), "ERR_EVIDENCE_TAMPERED list SHA256SUMS");
}

TEST_F(Bag, DoesNotGrowOverAnOldOne) {
  evidence::BagWriter writer(folder);
  writer.add("data/plan.json", "{}");
  EXPECT_NE(refusal([&] {
              (void)writer.finish({"r", "t", "failed", "personal", 2, "", {}, "s"}, trust::PrivateKey::generate());
            }),
            "accepted");
  EXPECT_EQ(check(), "accepted");
}

TEST(SafeNames, BearEveryFileSystemAndKeepTheOriginals) {
  evidence::SafeNames names;
  EXPECT_EQ(names.name("data", "a/b.txt"), "data/a/b.txt");
  EXPECT_EQ(names.name("data", "a/b.txt"), "data/a/b.txt");
  EXPECT_EQ(names.name("data", "desktop.ini"), "data/desktop.ini_");
  EXPECT_EQ(names.name("data", "x.LNK"), "data/x.LNK_");
  EXPECT_EQ(names.name("data", "con.txt"), "data/_con.txt");
  EXPECT_EQ(names.name("data", "sp ace\n\xc3\xa4"), "data/sp_ace___");
  EXPECT_EQ(names.name("data", ".hidden"), "data/_.hidden");
  EXPECT_NE(names.name("data", "A/B.TXT"), "data/A/B.TXT") << "falls together with a/b.txt on FAT";
  EXPECT_LE(names.name("data", std::string(5000, 'x')).size(), 200U);
  EXPECT_EQ(names.changed().at("names").size(), 7U);
}

TEST(Sums, TakesOnlySortedSafeLines) {
  const std::string digest(64, 'a');
  EXPECT_EQ(refusal([&] { (void)evidence::parse_sums(digest + "  a\n" + digest + "  b/c\n", "S"); }), "accepted");
  for (const std::string& text :
       {digest + "  a", digest + " *a\n", digest + "  ../a\n", digest + "  /a\n", digest + "  a//b\n",
        digest + "  b\n" + digest + "  a\n", digest + "  a\n" + digest + "  a\n", std::string(64, 'A') + "  a\n",
        std::string("short  a\n"), digest + "  a\\nb\n", digest + "  a b\n"}) {
    EXPECT_NE(refusal([&] { (void)evidence::parse_sums(text, "S"); }), "accepted") << text;
  }
}

TEST(JournalLines, FollowTheChainAndNameTheLineThatBreaksIt) {
  const auto line = [](int seq, const std::string& prev, const std::string& type) {
    return canon::canonical({{"seq", seq},
                             {"at", "2026-11-23T00:00:00Z"},
                             {"type", type},
                             {"run", "run:t:1"},
                             {"attempt", 1},
                             {"prev", prev},
                             {"data", canon::Json::object()}});
  };
  const std::string first = line(1, std::string(64, '0'), "a"), second = line(2, canon::sha256(first).hex(), "b");
  EXPECT_EQ(evidence::parse_journal(first + "\n" + second + "\n").head, canon::sha256(second).hex());
  const auto refused = [&](const std::string& text) { return refusal([&] { (void)evidence::parse_journal(text); }); };
  EXPECT_EQ(refused(second + "\n"), "ERR_EVIDENCE_TAMPERED journal journal.jsonl:1");
  EXPECT_EQ(refused(first + "\n" + first + "\n"), "ERR_EVIDENCE_TAMPERED journal journal.jsonl:2");
  EXPECT_EQ(refused(first + "\n" + second), "ERR_EVIDENCE_TAMPERED journal journal.jsonl:2");
  EXPECT_EQ(refused(first + "\n" + line(2, std::string(64, '1'), "b") + "\n"),
            "ERR_EVIDENCE_TAMPERED journal journal.jsonl:2");
  EXPECT_NE(refused(" " + first + "\n"), "accepted");
}
