// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/journal.hpp"
#include "appliance/journal/place.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "appliance/journal/reserve.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/database/connection.hpp"
#include "bundles/files/write.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::journal {
namespace {

using fault::Code;

class JournalTest : public testing::Test {
 protected:
  JournalTest() { home_.emplace(files::Home::open(folder_ / "home")); }

  static RunRow draft(const std::string& tenant = "plant-7") {
    RunRow row;
    row.tenant = tenant;
    row.pack = "sbom";
    row.version = "1.0.0";
    row.state = "planned";
    row.requested_by = "Ana Ortiz";
    return row;
  }
  static clock::Time at(std::int64_t seconds) { return clock::Time(std::chrono::seconds(1795453200 + seconds)); }
  static RunRow start(Journal& journal, std::int64_t seconds = 0) {
    return journal.create_run(draft(), {"pack.run.submitted", {}, {{"who", "Ana Ortiz"}}}, at(seconds));
  }
  // Runs SQL on the file behind the journal's back.
  void edit(const std::string& sql) const {
    const auto file =
        database::Connection::open(home_->runs() + "/journal.db", {.damaged = Code::internal, .busy = Code::internal});
    file.execute(sql);
  }
  static Code code_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const fault::Error& error) {
      return error.code();
    }
    return Code::internal;
  }

  tests::TemporaryFolder folder_;
  std::optional<files::Home> home_;
};

TEST_F(JournalTest, NumbersEventsFromOneAndChainsThem) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  const std::vector<NewEvent> two = {{"pack.run.started", {}, {}}, {"pack.step.started", "verify", {{"try", 1}}}};
  journal.append(run.id, two, {.state = "running"}, at(1));
  const auto events = journal.events(run.id);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].prev, std::string(64, '0'));
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].seq, static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ(events[1].prev, canon::sha256(events[0].line).hex());
  EXPECT_EQ(events[2].step, "verify");
  EXPECT_EQ(journal.head(run.id).hash, canon::sha256(events[2].line).hex());
  EXPECT_EQ(journal.need(run.id).state, "running");
  EXPECT_NO_THROW(journal.verify_chain(run.id));
}

TEST_F(JournalTest, WritesLinesThatAreCanonicalJson) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  EXPECT_EQ(journal.events(run.id)[0].line,
            "{\"at\":\"2026-11-23T17:00:00.000Z\",\"attempt\":1,\"data\":{\"who\":\"Ana Ortiz\"},\"prev\":\"" +
                std::string(64, '0') + "\",\"run\":\"" + run.id + "\",\"seq\":1,\"type\":\"pack.run.submitted\"}");
}

TEST_F(JournalTest, GivesEachRunItsOwnIdAndFolderInTheSameMillisecond) {
  auto journal = Journal::open(*home_);
  const auto first = start(journal);
  const auto second = start(journal);
  EXPECT_EQ(first.id, "run:plant-7:20261123T170000000Z");
  EXPECT_EQ(second.id, "run:plant-7:20261123T170000001Z");
  EXPECT_TRUE(std::filesystem::is_directory(first.folder));
  EXPECT_EQ(second.folder, home_->runs() + "/run_plant-7_20261123T170000001Z");
}

TEST_F(JournalTest, MovesAPreparedFolderIntoPlace) {
  auto journal = Journal::open(*home_);
  auto row = draft();
  row.folder = home_->runs() + "/.staging-1";
  files::make_folders(row.folder);
  files::write_atomically(row.folder + "/plan.json", "{}", 0600);
  const auto run = journal.create_run(row, {"pack.run.submitted", {}, {}}, at(0));
  EXPECT_TRUE(std::filesystem::exists(run.folder + "/plan.json"));
  EXPECT_FALSE(std::filesystem::exists(row.folder));
}

TEST_F(JournalTest, NeverLetsTimeGoBackWithinARun) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal, 100);
  const std::vector<NewEvent> one = {{"pack.run.started", {}, {}}};
  EXPECT_EQ(journal.append(run.id, one, {}, at(5))[0].at, at(100));
}

TEST_F(JournalTest, KnowsNoOtherRuns) {
  const auto journal = Journal::open(*home_);
  EXPECT_EQ(code_of([&] { (void)journal.need("run:plant-7:x"); }), Code::run_not_found);
}

TEST_F(JournalTest, ListsNewestFirstAndFilters) {
  auto journal = Journal::open(*home_);
  const auto old = start(journal, 0);
  const auto fresh = start(journal, 10);
  journal.append(old.id, {}, {.state = "waiting"}, at(20));
  const auto all = journal.list({});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, fresh.id);
  ASSERT_EQ(journal.list({.tenant = {}, .state = "waiting", .pack = {}}).size(), 1U);
  EXPECT_TRUE(journal.list({.tenant = "other", .state = {}, .pack = {}}).empty());
  EXPECT_EQ(journal.in_state("waiting").at(0).id, old.id);
}

TEST_F(JournalTest, FindsAnEditedRemovedMovedOrTruncatedEvent) {
  const char* edits[] = {
      "UPDATE events SET line = replace(line, 'Ana Ortiz', 'Bob Ortiz') WHERE seq = 1",
      "DELETE FROM events WHERE seq = 2",
      "DELETE FROM events WHERE seq = 3",
      "UPDATE events SET seq = seq + 1 WHERE seq = 3",
      "UPDATE events SET line = ' ' || line WHERE seq = 3",
      "UPDATE runs SET head = '00'",
      "UPDATE events SET line = 'no json' WHERE seq = 2",
  };
  for (const char* sql : edits) {
    SCOPED_TRACE(sql);
    std::filesystem::remove_all(home_->runs());
    auto journal = Journal::open(*home_);
    const auto run = start(journal);
    const std::vector<NewEvent> two = {{"pack.run.started", {}, {}}, {"pack.run.succeeded", {}, {}}};
    journal.append(run.id, two, {}, at(1));
    edit(sql);
    EXPECT_EQ(code_of([&] { journal.verify_chain(run.id); }), Code::journal_tampered);
  }
}

TEST_F(JournalTest, AppendsNothingToATruncatedChain) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  const std::vector<NewEvent> one = {{"pack.run.started", {}, {}}};
  journal.append(run.id, one, {}, at(1));
  edit("DELETE FROM events WHERE seq = 2");
  EXPECT_EQ(code_of([&] { journal.append(run.id, one, {}, at(2)); }), Code::journal_tampered);
}

TEST_F(JournalTest, RefusesARowThatPointsToAnotherFolder) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  edit("UPDATE runs SET folder = '../../etc'");
  EXPECT_EQ(code_of([&] { (void)journal.need(run.id); }), Code::journal_tampered);
}

TEST_F(JournalTest, RefusesAFileThatIsNoJournal) {
  files::make_folders(home_->runs());
  files::write_atomically(home_->runs() + "/journal.db", "this is not a database, not at all, and long enough to see",
                          0600);
  EXPECT_EQ(code_of([&] { (void)Journal::open(*home_); }), Code::journal_tampered);
}

TEST_F(JournalTest, KeepsTheChainWhenSeveralProcessesAppend) {
  auto run_id = [&] {
    auto journal = Journal::open(*home_);
    return start(journal).id;
  }();
  constexpr int kProcesses = 4, kEach = 25;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = Journal::open(*home_);
      for (int i = 0; i < kEach; ++i) {
        const std::vector<NewEvent> one = {{"pack.step.output", "s", {{"process", process}, {"i", i}}}};
        journal.append(run_id, one, {}, at(i));
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto journal = Journal::open(*home_);
  EXPECT_EQ(journal.events(run_id).size(), 1U + kProcesses * kEach);
  EXPECT_NO_THROW(journal.verify_chain(run_id));
}

TEST_F(JournalTest, KeepsEverythingThatAKilledProcessWasToldIsThere) {
  auto run_id = [&] {
    auto journal = Journal::open(*home_);
    return start(journal).id;
  }();
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = Journal::open(*home_);
    for (int i = 0;; ++i) {
      const std::vector<NewEvent> two = {{"pack.step.started", "s", {{"i", i}}},
                                         {"pack.step.finished", "s", {{"i", i}}}};
      journal.append(run_id, two, {}, at(i));
      if (::write(told[1], "x", 1) != 1) ::_exit(1);
    }
  }
  char seen[20];
  ASSERT_GT(::read(told[0], seen, 1), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(told[1]);
  std::size_t acknowledged = 1;
  for (char letter; ::read(told[0], &letter, 1) == 1;) ++acknowledged;
  const auto journal = Journal::open(*home_);
  EXPECT_NO_THROW(journal.verify_chain(run_id));
  EXPECT_GE(journal.events(run_id).size(), 1 + 2 * acknowledged);
  EXPECT_EQ(journal.events(run_id).size() % 2, 1U);  // never half a transaction
}

TEST_F(JournalTest, LetsOneProcessHaveARun) {
  auto journal = Journal::open(*home_);
  const auto run = start(journal);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = journal.lock_run(run);
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char letter;
  ASSERT_EQ(::read(ready[0], &letter, 1), 1);
  EXPECT_EQ(code_of([&] { (void)journal.lock_run(run); }), Code::run_busy);
  EXPECT_FALSE(journal.try_lock_run(run));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(journal.try_lock_run(run));
}

// Locks keep processes apart, so each place here is asked for by a process of its own, which keeps it until it is
// killed.
pid_t hold_place(const files::Home& home, int most) {
  int answer[2];
  if (::pipe(answer) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto place = try_take_place(home, "plant-7", most);
    (void)!::write(answer[1], place ? "y" : "n", 1);
    if (place) ::pause();
    ::_exit(0);
  }
  char letter = 'n';
  EXPECT_EQ(::read(answer[0], &letter, 1), 1);
  ::close(answer[0]);
  ::close(answer[1]);
  if (letter == 'y') return child;
  ::waitpid(child, nullptr, 0);
  return -1;
}

TEST_F(JournalTest, GivesATenantAsManyPlacesAsItMayHave) {
  const pid_t first = hold_place(*home_, 2), second = hold_place(*home_, 2);
  ASSERT_GT(first, 0);
  ASSERT_GT(second, 0);
  EXPECT_FALSE(try_take_place(*home_, "plant-7", 2));
  EXPECT_FALSE(try_take_place(*home_, "plant-7", 1));
  EXPECT_TRUE(try_take_place(*home_, "plant-8", 1));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  EXPECT_FALSE(try_take_place(*home_, "plant-7", 1)) << "a place that was given under a higher limit counts";
  EXPECT_TRUE(try_take_place(*home_, "plant-7", 2));
  ::kill(second, SIGKILL);
  ::waitpid(second, nullptr, 0);
  EXPECT_TRUE(try_take_place(*home_, "plant-7", 1));
}

TEST_F(JournalTest, HoldsSpaceBackForAFullDisk) {
  const auto journal = Journal::open(*home_);
  EXPECT_EQ(std::filesystem::file_size(home_->runs() + "/.reserve"), kReserveBytes);
  EXPECT_TRUE(release_reserve(home_->runs()));
  EXPECT_FALSE(release_reserve(home_->runs()));
}

}  // namespace
}  // namespace stella::journal
