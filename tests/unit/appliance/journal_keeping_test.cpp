// SPDX-License-Identifier: Apache-2.0
// What a journal keeps, gives away and takes over: holds, removals, older files, many runs, one pass over long runs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "appliance/journal/journal.hpp"
#include "appliance/journal/visible.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/database/connection.hpp"

namespace stella::journal {
namespace {

using fault::Code;

class JournalKeeping : public testing::Test {
 protected:
  JournalKeeping() {
    char pattern[] = "/tmp/stella-keeping-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    home_.emplace(files::Home::open(folder_ + "/home"));
  }
  ~JournalKeeping() override { std::filesystem::remove_all(folder_); }
  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  static RunRow start(Journal& journal, std::int64_t seconds = 0, const std::string& state = "planned",
                      const std::string& tenant = "plant-7") {
    RunRow row;
    row.tenant = tenant;
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = state;
    return journal.create_run(row, {"pack.run.submitted", {}, {}}, at(seconds));
  }
  std::string file() const { return home_->runs() + "/journal.db"; }
  void edit(const std::string& sql) const {
    database::Connection::open(file(), {.damaged = Code::internal, .busy = Code::internal}).execute(sql);
  }
  static std::string reason_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const fault::Error& error) {
      return error.reason();
    }
    return "none";
  }
  // The file as version 1 of the schema had it.
  void make_old() const {
    edit(
        "DROP TABLE holds; DROP TABLE pruned; DROP INDEX runs_by_tenant; DROP INDEX runs_by_pack;"
        "DROP TABLE revision; DROP INDEX runs_by_revision; ALTER TABLE runs DROP COLUMN revision;"
        "PRAGMA user_version=1");
  }
  std::string folder_;
  std::optional<files::Home> home_;
};

TEST_F(JournalKeeping, ShowsAProcessTheRunsOfItsTenantsOnly) {
  auto journal = Journal::open(*home_);
  const RunRow mine = start(journal, 1, "waiting", "a"), theirs = start(journal, 2, "waiting", "b");
  for (int i = 3; i < 8; ++i) (void)start(journal, i, "planned", "b");
  see_only(std::vector<std::string>{"a"});
  EXPECT_EQ(journal.need(mine.id).id, mine.id);
  EXPECT_EQ(reason_of([&] { (void)journal.need(theirs.id); }), "run");
  EXPECT_EQ(reason_of([&] { journal.hold(theirs.id, "why", "who", at(9)); }), "run");
  const auto listed = journal.list({.limit = 1});
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.front().id, mine.id);
  EXPECT_TRUE(journal.list({.tenant = "b"}).empty());
  EXPECT_EQ(journal.in_state("waiting").size(), 1U);
  EXPECT_EQ(journal.changes(0).size(), 1U);
  see_only(std::vector<std::string>{});
  EXPECT_TRUE(journal.list({}).empty());
  see_only(std::nullopt);
  EXPECT_EQ(journal.list({}).size(), 7U);
}

TEST_F(JournalKeeping, RemovesAnEndedRunAndChainsWhatStaysOfIt) {
  auto journal = Journal::open(*home_);
  const auto first = start(journal, 0, "succeeded"), second = start(journal, 1, "failed");
  const Head head = journal.head(first.id);
  const Pruned gone = journal.remove_run(first.id, {"Ana Ortiz", "older than 30 d"}, at(10));
  EXPECT_EQ(gone.head, head.hash);
  EXPECT_FALSE(std::filesystem::exists(first.folder));
  EXPECT_EQ(reason_of([&] { (void)journal.need(first.id); }), "run");
  EXPECT_TRUE(journal.events(first.id).empty());
  (void)journal.remove_run(second.id, {"Ana Ortiz", "older than 30 d"}, at(11));
  const auto all = journal.pruned();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].prev, canon::sha256(all[0].line).hex());
  EXPECT_EQ(all[0].why, "older than 30 d");
  EXPECT_NE(start(journal, 0, "planned").id, first.id);  // an id is not used again
  edit("UPDATE pruned SET line=replace(line, '30 d', '90 d') WHERE number=1");
  EXPECT_EQ(reason_of([&] { (void)journal.pruned(); }), "chain");
}

TEST_F(JournalKeeping, KeepsWhatIsHeldOrHasNotEnded) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal, 0, "succeeded"), busy = start(journal, 1, "running");
  journal.hold(run.id, "audit 14", "Ana Ortiz", at(1));
  EXPECT_EQ(reason_of([&] { (void)journal.remove_run(run.id, {"x", "y"}, at(2)); }), "held");
  EXPECT_EQ(reason_of([&] { (void)journal.remove_run(busy.id, {"x", "y"}, at(2)); }), "state");
  EXPECT_EQ(reason_of([&] { journal.hold("run:t:none", "r", "w", at(1)); }), "run");
  ASSERT_EQ(journal.holds().size(), 1U);
  EXPECT_EQ(journal.hold_of(run.id)->reason, "audit 14");
  EXPECT_TRUE(journal.release(run.id));
  EXPECT_FALSE(journal.release(run.id));
  (void)journal.remove_run(run.id, {"x", "y"}, at(2));
}

TEST_F(JournalKeeping, SweepsAFolderThatACrashLeft) {
  auto journal = Journal::open(*home_);
  const auto gone = start(journal, 0, "succeeded"), stays = start(journal, 1, "succeeded");
  (void)journal.remove_run(gone.id, {"x", "y"}, at(1));
  std::filesystem::create_directories(gone.folder + "/work");  // as it lies there when the end came in between
  journal.sweep();
  EXPECT_FALSE(std::filesystem::exists(gone.folder));
  EXPECT_TRUE(std::filesystem::exists(stays.folder));
}

TEST_F(JournalKeeping, TakesOverAnOlderFileAndKeepsACopy) {
  std::string run;
  {
    auto journal = Journal::open(*home_);
    run = start(journal).id;
  }
  make_old();
  {
    auto journal = Journal::open(*home_);
    EXPECT_NO_THROW(journal.verify_chain(run));
    journal.hold(run, "r", "w", at(1));
  }
  const std::string copy = home_->runs() + "/journal.v1.db";
  ASSERT_TRUE(std::filesystem::exists(copy));
  const auto size = std::filesystem::file_size(copy);
  const auto journal = Journal::open(*home_);  // the copy of before stays
  EXPECT_EQ(std::filesystem::file_size(copy), size);
  EXPECT_EQ(journal.holds().size(), 1U);
  const auto old = database::Connection::open(copy, {.damaged = Code::internal, .busy = Code::internal});
  auto row = old.prepare("PRAGMA user_version");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 1);
}

TEST_F(JournalKeeping, GoesOnWithATakeOverThatACrashCutShort) {
  std::string run;
  {
    auto journal = Journal::open(*home_);
    run = start(journal).id;
  }
  make_old();
  // The copy was made, the file not yet changed.
  std::filesystem::copy_file(file(), home_->runs() + "/journal.v1.db");
  EXPECT_NO_THROW(Journal::open(*home_).verify_chain(run));
}

TEST_F(JournalKeeping, RefusesANewerFileWithTheRemedy) {
  (void)Journal::open(*home_);
  edit("PRAGMA user_version=99");
  try {
    (void)Journal::open(*home_);
    FAIL();
  } catch (const fault::Error& error) {
    EXPECT_EQ(error.code(), Code::journal_tampered);
    EXPECT_EQ(error.reason(), "newer");
    EXPECT_NE(error.fix().find("stella"), std::string::npos);
  }
}

TEST_F(JournalKeeping, GivesEachEventCheckedAndInOrder) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  std::vector<NewEvent> many(5000, {"pack.step.finished", "s", {{"try", 1}}});
  journal.append(run.id, many, {}, at(1));
  std::int64_t seen = 0;
  const Head head = journal.verify_each(run.id, [&](const Event& event) { EXPECT_EQ(event.seq, ++seen); });
  EXPECT_EQ(seen, 5001);
  EXPECT_EQ(head.hash, journal.head(run.id).hash);
  seen = 4000;
  journal.for_each_event(run.id, 4000, [&](const Event& event) { EXPECT_EQ(event.seq, ++seen); });
  edit("UPDATE events SET line=replace(line, '\"try\":1', '\"try\":2') WHERE seq=3000");
  seen = 0;
  EXPECT_EQ(reason_of([&] { (void)journal.verify_each(run.id, [&](const Event& event) { seen = event.seq; }); }),
            "chain");
  EXPECT_EQ(seen, 3000);
}

TEST_F(JournalKeeping, FindsRunsByIndexAmongManyOthers) {
  auto journal = Journal::open(*home_);
  const auto one = start(journal, 0, "waiting", "plant-1");
  edit(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<10000) INSERT INTO runs SELECT "
      "'run:bulk:'||i, 'bulk', 'other', version, pack_digest, plan_hash, 'succeeded', code, reason, requested_by, "
      "attempt, created+i*1000, updated, 'run_bulk_'||i, detail, seq, head, 0 FROM runs, n WHERE tenant='plant-1'");
  EXPECT_EQ(journal.list({}).size(), 100U);
  EXPECT_EQ(journal.list({}).front().id, "run:bulk:10000");
  EXPECT_EQ(journal.list({.tenant = "plant-1"}).at(0).id, one.id);
  EXPECT_EQ(journal.list({.state = "waiting", .pack = "sbom"}).size(), 1U);
  EXPECT_EQ(journal.list({.limit = 20000, .since = at(9990)}).size(), 11U);
  EXPECT_EQ(journal.in_state("waiting").size(), 1U);
}

TEST_F(JournalKeeping, TellsAReaderOfTheWholeHomeWhatChanged) {
  auto journal = Journal::open(*home_);
  const auto first = start(journal, 0), second = start(journal, 1);
  auto reader = Journal::open(*home_);
  const auto all = reader.changes(0);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].row.id, first.id);
  EXPECT_EQ(all[1].row.id, second.id);
  EXPECT_TRUE(reader.changes(all[1].revision).empty());
  const auto version = reader.data_version();
  EXPECT_EQ(reader.data_version(), version);
  const std::vector<NewEvent> one = {{"pack.step.started", "s", {{"try", 1}}}};
  journal.append(first.id, one, {}, at(2));
  EXPECT_NE(reader.data_version(), version);
  const auto fresh = reader.changes(all[1].revision);
  ASSERT_EQ(fresh.size(), 1U);
  EXPECT_EQ(fresh[0].row.id, first.id);
  EXPECT_EQ(fresh[0].last_seq, all[0].last_seq + 1);
}

TEST_F(JournalKeeping, NeverGivesTheRevisionOfARemovedRunAgain) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal, 0, "succeeded");
  const auto seen = journal.changes(0).back().revision;
  journal.remove_run(run.id, {"ana", "age"}, at(5));
  const auto next = start(journal, 6);
  ASSERT_EQ(journal.changes(seen).size(), 1U);
  EXPECT_EQ(journal.changes(seen).front().row.id, next.id);
}

}  // namespace
}  // namespace stella::journal
