// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/appliance/sandbox_bench.hpp"

namespace stella::sandbox {
namespace {

TEST(Sandbox, RunsAProgramAndGivesItsStatusAndOutput) {
  Site site;
  const Outcome seen = site.run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(seen.out, "out\n");
  EXPECT_EQ(seen.err, "err\n");
  EXPECT_EQ(seen.result.end, End::exited);
  EXPECT_EQ(seen.result.status, 3);
}

}  // namespace
}  // namespace stella::sandbox
