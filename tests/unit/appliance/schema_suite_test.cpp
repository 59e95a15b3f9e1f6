// SPDX-License-Identifier: Apache-2.0
// The official test suite of JSON Schema 2020-12, from Debian's libtest-json-schema-acceptance-perl: every required
// case passes, and of the optional ones all but the one named below.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "appliance/schema/formats.hpp"
#include "appliance/schema/schema.hpp"

namespace stella::schema {
namespace {

namespace fs = std::filesystem;
using canon::Json;

const fs::path kSuite = "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance";
constexpr std::string_view kRemotePrefix = "http://localhost:1234/";

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::optional<std::string> find_remote(const std::string& uri) {
  if (!uri.starts_with(kRemotePrefix)) return std::nullopt;
  const fs::path path = kSuite / "remotes" / uri.substr(kRemotePrefix.size());
  if (!fs::is_regular_file(path)) return std::nullopt;
  return read(path);
}

struct Tally {
  std::size_t passed = 0;
  std::vector<std::string> failed;
};

void run_group(const std::string& file, const Json& group, Formats formats, Tally& tally) {
  std::optional<Schema> schema;
  std::string refused;
  try {
    schema = Schema::compile(group["schema"], {.name = "schema", .base = "", .formats = formats, .find = find_remote});
  } catch (const fault::Error& error) {
    refused = std::string(" (") + error.what() + " at " + error.at() + ")";
  }
  for (const Json& test : group["tests"]) {
    const bool wanted = test["valid"];
    std::string why = refused;
    if (schema) {
      try {
        const Verdict verdict = schema->check(test["data"]);
        if (verdict.valid == wanted && verdict.valid == verdict.violations.empty()) {
          ++tally.passed;
          continue;
        }
        why = verdict.valid ? " (found valid)" : " (" + verdict.violations[0].what + ")";
      } catch (const fault::Error& error) {
        why = std::string(" (") + error.what() + ")";
      }
    }
    tally.failed.push_back(file + ": " + group["description"].get<std::string>() + ": " +
                           test["description"].get<std::string>() + why);
  }
}

// The suite's own file is read without our limits on numbers: its big ones are optional cases.
Tally run_folder(const fs::path& folder, Formats formats, const std::set<std::string>& only = {}) {
  Tally tally;
  std::set<fs::path> paths;
  if (fs::is_directory(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".json") paths.insert(entry.path());
  for (const fs::path& path : paths) {
    if (!only.empty() && !only.contains(path.stem())) continue;
    for (const Json& group : Json::parse(read(path))) run_group(path.stem(), group, formats, tally);
  }
  return tally;
}

std::string lines(const Tally& tally) {
  std::string all;
  for (const std::string& one : tally.failed) all += one + "\n";
  return all;
}

TEST(SchemaSuite, PassesEveryRequiredCase) {
  ASSERT_TRUE(fs::is_directory(kSuite)) << "install libtest-json-schema-acceptance-perl";
  const Tally tally = run_folder(kSuite / "tests/draft2020-12", Formats::annotated);
  EXPECT_TRUE(tally.failed.empty()) << lines(tally);
  EXPECT_EQ(tally.passed, 1176U);
}

TEST(SchemaSuite, PassesTheOptionalCasesButOlderDrafts) {
  ASSERT_TRUE(fs::is_directory(kSuite)) << "install libtest-json-schema-acceptance-perl";
  // Asserted, because one case asks `format: regex` about an escape; no other optional file has a format.
  const Tally tally = run_folder(kSuite / "tests/draft2020-12/optional", Formats::asserted);
  ASSERT_EQ(tally.failed.size(), 1U) << lines(tally);
  EXPECT_TRUE(tally.failed[0].starts_with("cross-draft: ")) << "older drafts are refused by name, not read";
  EXPECT_EQ(tally.passed, 144U);
}

TEST(SchemaSuite, AssertsTheFormatsThatItSupports) {
  ASSERT_TRUE(fs::is_directory(kSuite)) << "install libtest-json-schema-acceptance-perl";
  std::set<std::string> names;
  for (const std::string& name : format_names()) names.insert(name);
  const Tally tally = run_folder(kSuite / "tests/draft2020-12/optional/format", Formats::asserted, names);
  EXPECT_TRUE(tally.failed.empty()) << lines(tally);
  EXPECT_GT(tally.passed, 300U);
}

}  // namespace
}  // namespace stella::schema
