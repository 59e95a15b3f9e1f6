// SPDX-License-Identifier: Apache-2.0
// The text format, histograms and the catalogue.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "appliance/telemetry/metrics.hpp"
#include "appliance/telemetry/surroundings.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace stella::telemetry {
namespace {

std::string text_of(const Family& family) {
  return write_text(std::span(&family, 1));
}

TEST(Exposition, EscapesWhatStandsInALabel) {
  EXPECT_EQ(escape_label("plain"), "plain");
  EXPECT_EQ(escape_label("a\"b"), "a\\\"b");
  EXPECT_EQ(escape_label("a\\b"), "a\\\\b");
  // A newline is already written out by canon::printable, whose backslash is then one of the value's own.
  EXPECT_EQ(escape_label("a\nb"), "a\\\\nb");
  EXPECT_EQ(escape_label("\xff").find('\xff'), std::string::npos);
  EXPECT_EQ(escape_label("} 1\nevil_metric 2").find('\n'), std::string::npos);
  EXPECT_LT(escape_label(std::string(100000, 'x')).size(), 200U);
}

TEST(Exposition, EscapesBackslashAndNewlineInAHelp) {
  EXPECT_EQ(escape_help("a\\b\nc \"d\""), "a\\\\b\\nc \"d\"");
}

TEST(Exposition, WritesHelpTypeAndSamples) {
  Family family("pack_run_active");
  family.add({"plant-7"}, 2);
  EXPECT_EQ(text_of(family),
            "# HELP pack_run_active Runs that have not ended: planned, running, waiting or paused.\n"
            "# TYPE pack_run_active gauge\npack_run_active{tenant=\"plant-7\"} 2\n");
}

TEST(Exposition, WritesCumulativeBucketsWithSumAndCount) {
  Histogram histogram(step_bounds());
  for (const std::int64_t value : {5, 10, 11, 1000, 90'000'000}) histogram.observe(value);
  Family family("pack_step_duration_seconds");
  family.add({"run"}, histogram);
  const std::string text = text_of(family);
  for (const std::string& line :
       std::vector<std::string>{"pack_step_duration_seconds_bucket{step_type=\"run\",le=\"0.01\"} 2\n",
                                "pack_step_duration_seconds_bucket{step_type=\"run\",le=\"0.05\"} 3\n",
                                "pack_step_duration_seconds_bucket{step_type=\"run\",le=\"1\"} 4\n",
                                "pack_step_duration_seconds_bucket{step_type=\"run\",le=\"86400\"} 4\n",
                                "pack_step_duration_seconds_bucket{step_type=\"run\",le=\"+Inf\"} 5\n",
                                "pack_step_duration_seconds_sum{step_type=\"run\"} 90001.026\n",
                                "pack_step_duration_seconds_count{step_type=\"run\"} 5\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(Exposition, RefusesAMetricThatTheCatalogueDoesNotHave) {
  EXPECT_THROW(Family("pack_made_up"), fault::Error);
}

TEST(Histogram, CountsNegativeDurationsAsNone) {
  Histogram histogram(gate_bounds());
  histogram.observe(-5);
  EXPECT_EQ(histogram.at_most(0), 1);
  EXPECT_EQ(histogram.sum_ms(), 0);
}

TEST(Histogram, HasTheAlertsLimitAmongItsBounds) {
  const auto bounds = gate_bounds();
  EXPECT_NE(std::find(bounds.begin(), bounds.end(), 30 * 60 * 1000), bounds.end());
  EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
}

TEST(Histogram, ComesBackFromItsJson) {
  Histogram histogram(step_bounds());
  for (int i = 0; i < 100; ++i) histogram.observe(i * i * 37);
  EXPECT_EQ(Histogram::from_json(histogram.to_json(), step_bounds()), histogram);
}

TEST(Histogram, RefusesJsonWithOtherBucketsOrNegativeCounts) {
  EXPECT_THROW(Histogram::from_json(Histogram(gate_bounds()).to_json(), step_bounds()), fault::Error);
  canon::Json negative = Histogram(step_bounds()).to_json();
  negative["counts"][0] = -1;
  EXPECT_THROW(Histogram::from_json(negative, step_bounds()), fault::Error);
}

TEST(Catalogue, NamesMetricsAsPrometheusWantsThem) {
  std::set<std::string_view> names;
  for (const Metric& one : catalogue()) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_EQ(one.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << one.name;
    EXPECT_EQ(one.kind == Kind::counter, one.name.ends_with("_total")) << one.name;
    EXPECT_FALSE(one.help.empty()) << one.name;
    EXPECT_EQ(one.help.find('\n'), std::string_view::npos) << one.name;
  }
}

TEST(Catalogue, HasTheFourFamiliesOfTheContract) {
  const auto labels = [](const char* name) { return metric(name).labels; };
  const std::vector<std::string_view> tenant = {"tenant"}, step_type = {"step_type"}, gate = {"gate"};
  EXPECT_EQ(labels("pack_run_active"), tenant);
  EXPECT_EQ(labels("pack_step_duration_seconds"), step_type);
  EXPECT_EQ(labels("pack_gate_wait_seconds"), gate);
  EXPECT_EQ(labels("pack_run_success_ratio"), tenant);
  EXPECT_EQ(metric("pack_step_duration_seconds").kind, Kind::histogram);
  EXPECT_EQ(metric("pack_gate_wait_seconds").kind, Kind::histogram);
}

TEST(Metrics, GivesEveryMetricOfTheCatalogueItsTypeOnce) {
  const tests::TemporaryFolder folder;
  const auto home = files::Home::open(folder / "home");
  Metrics metrics(home);
  std::multiset<std::string_view> given;
  for (const Family& family : metrics.families(clock::Time(std::chrono::seconds(1795453200)), Place::process))
    given.insert(family.about().name);
  for (const Metric& one : catalogue()) {
    const bool is_of_a_mirror = one.name == "stella_mirror_age_seconds";  // this home holds no generation
    EXPECT_EQ(given.count(one.name), is_of_a_mirror ? 0U : 1U) << one.name;
  }
}

TEST(Metrics, LeavesTheProcessOutOfTextfiles) {
  const tests::TemporaryFolder folder;
  const auto home = files::Home::open(folder / "home");
  Metrics metrics(home);
  const std::string text = metrics.text(clock::Time(std::chrono::seconds(1795453200)), Place::everywhere);
  EXPECT_EQ(text.find("process_"), std::string::npos);
  EXPECT_NE(text.find("stella_build_info{version=\""), std::string::npos);
}

TEST(Metrics, SaysThatThisProcessLives) {
  for (const Family& family : process_families()) {
    ASSERT_EQ(family.samples().size(), 1U);
    if (family.about().name == "process_cpu_seconds_total") continue;  // may round to none
    EXPECT_GT(family.samples()[0].value, 0) << family.about().name;
  }
}

TEST(Metrics, SaysWhenTheReserveWasUsed) {
  const tests::TemporaryFolder folder;
  const auto home = files::Home::open(folder / "home");
  Metrics metrics(home);
  const clock::Time now(std::chrono::seconds(1795453200));
  EXPECT_NE(metrics.text(now, Place::everywhere).find("\nstella_disk_reserve_bytes 4194304\n"), std::string::npos);
  std::filesystem::remove(home.runs() + "/.reserve");
  EXPECT_NE(metrics.text(now, Place::everywhere).find("\nstella_disk_reserve_bytes 0\n"), std::string::npos);
}

TEST(Metrics, ShowsAPartThatCannotBeReadAndKeepsTheRest) {
  const tests::TemporaryFolder folder;
  const auto home = files::Home::open(folder / "home");
  Metrics metrics(home);
  std::filesystem::create_directories(home.mirror());
  std::ofstream(home.mirror() + "/catalog.db") << "this is no database at all, whatever its name says";
  const std::string text = metrics.text(clock::Time(std::chrono::seconds(1795453200)), Place::everywhere);
  EXPECT_NE(text.find("stella_part_readable{part=\"mirror\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("stella_part_readable{part=\"disk\"} 1\n"), std::string::npos);
  EXPECT_EQ(text.find("stella_mirror_generation"), std::string::npos);
}

}  // namespace
}  // namespace stella::telemetry
