// SPDX-License-Identifier: Apache-2.0
#include "appliance/pack/runbook.hpp"

#include <gtest/gtest.h>

namespace stella::pack {
namespace {

std::vector<Problem> check(std::optional<std::string> text) {
  return check_runbook([&](const std::string& path) {
    EXPECT_EQ(path, "docs/runbook.md");
    return text;
  });
}

const std::string kWhole =
    "# p: runbook\n## Purpose\na\n## Inputs and secrets\nb\n## Approval stakeholders\nc\n## Pre-checks\nd\n"
    "## Post-checks\ne\n## Rollback\nf\n";

std::string without(const std::string& part) {
  std::string text = kWhole;
  return text.erase(text.find(part), part.size());
}

TEST(Runbook, ItsOwnTemplateLacksNothing) {
  EXPECT_TRUE(check(runbook_template("my-pack", "0.1.0")).empty());
  EXPECT_TRUE(runbook_template("my-pack", "0.1.0").starts_with("# my-pack: runbook\n"));
  EXPECT_EQ(runbook_template("my-pack", "0.1.0").find("PACK_NAME"), std::string::npos);
  EXPECT_NE(runbook_template("my-pack", "0.1.0").find("--pack my-pack:0.1.0 "), std::string::npos);
}

TEST(Runbook, NamesAMissingFile) {
  const auto problems = check(std::nullopt);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at, "docs/runbook.md");
  EXPECT_EQ(problems[0].reason, "runbook");
}

TEST(Runbook, NamesEachMissingHeading) {
  EXPECT_TRUE(check(kWhole).empty());
  EXPECT_EQ(check("").size(), 6U);
  for (const std::string part : {"## Purpose\n", "## Inputs and secrets\n", "## Approval stakeholders\n",
                                 "## Pre-checks\n", "## Post-checks\n", "## Rollback\n"}) {
    const auto problems = check(without(part));
    ASSERT_EQ(problems.size(), 1U) << part;
    EXPECT_NE(problems[0].what.find("has no heading"), std::string::npos);
  }
}

TEST(Runbook, NamesTheLineOfAHeadingWithNothingBeneath) {
  const auto problems = check(without("c\n"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].at, "docs/runbook.md:6");
}

TEST(Runbook, AHeadingCountsWhateverItsLevelAndCaseAndMayServeForTwo) {
  EXPECT_TRUE(check("### PURPOSE AND SCOPE\na\n# Required inputs, secrets\nb\n## approval stakeholders\nc\n"
                    "## Pre-checks and post-checks\n### before\nd\n## Rollback procedures\nf\n")
                  .empty());
}

TEST(Runbook, AHeadingInAFenceIsNone) {
  EXPECT_EQ(check("```\n" + kWhole + "```\n").size(), 6U);
}

}  // namespace
}  // namespace stella::pack
