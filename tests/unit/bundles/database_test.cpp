// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <barrier>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bundles/database/connection.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::database {
namespace {

using fault::Code;

constexpr std::int32_t kApplication = 0x53544c54;
constexpr std::array<std::string_view, 1> kFirst = {"CREATE TABLE t(k TEXT PRIMARY KEY, v BLOB, n INTEGER) STRICT"};
constexpr std::array<std::string_view, 2> kSecond = {kFirst[0], "ALTER TABLE t ADD COLUMN extra TEXT"};

class Database : public ::testing::Test {
 protected:
  static Options options(Access access = Access::create, Journal journal = Journal::wal) {
    return {.damaged = Code::journal_tampered,
            .busy = Code::run_busy,
            .access = access,
            .journal = journal,
            .wait = std::chrono::milliseconds(50)};
  }
  Connection fresh(Journal journal = Journal::wal) const {
    auto made = Connection::open(path_, options(Access::create, journal));
    made.migrate(kApplication, kFirst);
    return made;
  }
  tests::TemporaryFolder folder_;
  std::string path_ = folder_ / "t.db";
};

template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const fault::Error& error) {
    return std::string(fault::info(error.code()).name) + " " + error.reason();
  }
  return "none";
}

TEST_F(Database, KeepsNumbersTextAndBytesAsTheyWere) {
  const auto db = fresh();
  const std::array<std::uint8_t, 3> bytes = {0, 255, 7};
  db.prepare("INSERT INTO t VALUES(?,?,?)")
      .bind(1, std::string("a\0b", 3))
      .bind(2, std::span<const std::uint8_t>(bytes))
      .bind(3, std::int64_t{-5})
      .run();
  auto row = db.prepare("SELECT k, v, n FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), std::string("a\0b", 3));
  EXPECT_EQ(row.blob(1), std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  EXPECT_EQ(row.integer(2), -5);
  EXPECT_FALSE(row.step());
}

TEST_F(Database, TellsEmptyFromNull) {
  const auto db = fresh();
  auto insert = db.prepare("INSERT INTO t VALUES(?,?,?)");
  insert.bind(1, std::string_view()).bind(2, std::span<const std::uint8_t>()).bind_null(3).run();
  auto row = db.prepare("SELECT k, v, n FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), "");
  EXPECT_TRUE(row.blob(1).empty());
  EXPECT_TRUE(row.is_null(2));
  EXPECT_EQ(refusal([&] { (void)row.integer(2); }), "ERR_JOURNAL_TAMPERED type");
}

TEST_F(Database, MakesItsFilesForTheOwnerOnly) {
  ::umask(0);
  const auto db = fresh();
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 0777U, 0600U) << entry.path();
}

TEST_F(Database, IsMadeOnceBySeveralAtOneTime) {
  constexpr int kAtOnce = 4, kRounds = 100;
  std::array<std::string, kAtOnce> said;
  std::barrier together(kAtOnce);
  std::vector<std::jthread> all;
  for (int who = 0; who < kAtOnce; ++who)
    all.emplace_back([&, who] {
      for (int round = 0; round < kRounds; ++round) {
        auto patient = options();
        patient.wait = std::chrono::seconds(30);
        together.arrive_and_wait();
        try {
          const auto db = Connection::open(folder_ / ("t" + std::to_string(round) + ".db"), patient);
          db.migrate(kApplication, kFirst);
          db.execute("INSERT INTO t(k) VALUES('" + std::to_string(who) + "')");
        } catch (const fault::Error& error) {
          said[static_cast<std::size_t>(who)] = error.what();
        }
      }
    });
  all.clear();
  EXPECT_EQ(said, (std::array<std::string, kAtOnce>{}));
}

TEST_F(Database, RollsBackWhatIsNotCommitted) {
  const auto db = fresh();
  {
    const Transaction transaction(db);
    db.execute("INSERT INTO t(k) VALUES('gone')");
  }
  Transaction transaction(db);
  db.execute("INSERT INTO t(k) VALUES('kept')");
  transaction.commit();
  auto row = db.prepare("SELECT group_concat(k) FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), "kept");
}

TEST_F(Database, SaysBusyWithTheCallersCode) {
  const auto one = fresh();
  const Transaction held(one);
  const auto two = Connection::open(path_, options());
  EXPECT_EQ(refusal([&] { const Transaction refused(two); }), "ERR_RUN_BUSY busy");
}

TEST_F(Database, MigratesForwardAndRefusesANewerFile) {
  { (void)fresh(); }
  const auto db = Connection::open(path_, options());
  db.migrate(kApplication, kSecond);
  db.execute("INSERT INTO t(k, extra) VALUES('a', 'b')");
  EXPECT_EQ(refusal([&] { db.migrate(kApplication, kFirst); }), "ERR_JOURNAL_TAMPERED newer");
  EXPECT_EQ(refusal([&] { db.migrate(kApplication + 1, kSecond); }), "ERR_JOURNAL_TAMPERED application");
}

TEST_F(Database, RefusesWhatIsNoDatabase) {
  std::ofstream(path_)
      << "this is a text file, and it is long enough to have been a header of a database, had it been one";
  ::chmod(path_.c_str(), 0600);
  EXPECT_EQ(refusal([&] { Connection::open(path_, options()).migrate(kApplication, kFirst); }),
            "ERR_JOURNAL_TAMPERED not-a-database");
  std::ofstream(path_, std::ios::trunc);
  EXPECT_EQ(refusal([&] { (void)Connection::open(path_, options(Access::existing)); }),
            "ERR_JOURNAL_TAMPERED not-a-database");
}

TEST_F(Database, RefusesLinksFoldersAndFilesThatOthersCanWrite) {
  { (void)fresh(); }
  const auto link = folder_ / "link.db";
  ASSERT_EQ(::symlink(path_.c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal([&] { (void)Connection::open(link, options()); }), "ERR_FILE_UNSUITABLE link");
  EXPECT_EQ(refusal([&] { (void)Connection::open(folder_.path(), options()); }), "ERR_FILE_UNSUITABLE folder");
  ::chmod(path_.c_str(), 0666);
  EXPECT_EQ(refusal([&] { (void)Connection::open(path_, options()); }), "ERR_FILE_UNSUITABLE mode");
  EXPECT_EQ(refusal([&] { (void)Connection::open(folder_ / "none.db", options(Access::existing)); }).substr(0, 18),
            "ERR_FILE_NOT_FOUND");
}

TEST_F(Database, OpensBehindALinkedFolder) {
  { (void)fresh(); }
  const auto link = folder_.path() + "-link";
  ASSERT_EQ(::symlink(folder_.path().c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal([&] { (void)Connection::open(link + "/t.db", options()); }), "none");
  ::unlink(link.c_str());
}

TEST_F(Database, ReadOnlyWritesNothing) {
  { (void)fresh(Journal::rollback); }
  const auto db = Connection::open(path_, options(Access::read_only));
  db.migrate(kApplication, kFirst);
  EXPECT_EQ(refusal([&] { db.execute("INSERT INTO t(k) VALUES('x')"); }), "ERR_FILE_UNSUITABLE open");
}

TEST_F(Database, DoesNotRunTriggersThatTheFileBrings) {
  const auto db = fresh();
  db.execute("CREATE TRIGGER bad AFTER INSERT ON t BEGIN DELETE FROM t; END");
  db.execute("INSERT INTO t(k) VALUES('kept')");
  auto row = db.prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 1);
}

TEST_F(Database, SaysFullAndCanGoOnAfterwards) {
  const auto db = fresh(Journal::rollback);
  db.execute("PRAGMA max_page_count=12");
  const std::string big(100000, 'x');
  EXPECT_EQ(refusal([&] {
              Transaction t(db);
              db.prepare("INSERT INTO t(k) VALUES(?)").bind(1, big).run();
              t.commit();
            }),
            "ERR_NO_SPACE full");
  db.execute("INSERT INTO t(k) VALUES('small')");
  db.check_integrity();
}

TEST_F(Database, CopiesAWholeDatabaseDurably) {
  const auto db = fresh();
  db.execute("INSERT INTO t(k) VALUES('a')");
  const auto target = folder_ / "copy.db";
  db.copy_to(target);
  const auto copy = Connection::open(target, options(Access::read_only));
  copy.migrate(kApplication, kFirst);
  auto row = copy.prepare("SELECT k FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), "a");
  EXPECT_NE(refusal([&] { db.copy_to(target); }), "none") << "an existing file is not overwritten";
  EXPECT_TRUE(std::filesystem::exists(target)) << "nor removed";
}

TEST_F(Database, TakesAHeaderOfAFormatToComeForDamage) {
  { (void)fresh(Journal::rollback); }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(18);
    file.put(5);
  }
  const auto said = refusal([&] {
    const auto db = Connection::open(path_, options(Access::existing, Journal::rollback));
    db.migrate(kApplication, kFirst);
    db.execute("INSERT INTO t(k) VALUES('x')");
  });
  EXPECT_EQ(said, "ERR_JOURNAL_TAMPERED header");
}

TEST_F(Database, FindsDamage) {
  {
    const auto db = fresh(Journal::rollback);
    Transaction transaction(db);
    for (int i = 0; i < 200; ++i)
      db.prepare("INSERT INTO t(k, v) VALUES(?, zeroblob(500))").bind(1, std::to_string(i)).run();
    transaction.commit();
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(4096, '\xff');
  }
  const auto db = Connection::open(path_, options(Access::existing, Journal::rollback));
  EXPECT_EQ(refusal([&] { db.check_integrity(); }), "ERR_JOURNAL_TAMPERED corrupt");
}

}  // namespace
}  // namespace stella::database
