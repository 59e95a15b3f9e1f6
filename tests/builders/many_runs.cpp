// SPDX-License-Identifier: Apache-2.0
// Fills a home's journal with finished runs: `stella_many_runs HOME COUNT`. Every tenth has failed.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "appliance/journal/journal.hpp"

int main(int argc, char** argv) {
  using namespace stella;
  if (argc != 3) return std::fprintf(stderr, "usage: stella_many_runs HOME COUNT\n"), 2;
  const auto home = files::Home::open(argv[1]);
  auto journal = journal::Journal::open(home);
  const clock::Time start{std::chrono::milliseconds(1700000000000)};
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const bool good = i % 10 != 0;
    journal::RunRow row;
    row.tenant = "plant-7";
    row.pack = fmt::format("job-{}", i % 7);
    row.version = "1.0.0";
    row.plan_hash = "sha256:" + std::string(64, 'a');
    row.state = good ? "succeeded" : "failed";
    row.code = good ? "" : "ERR_PACK_STEP_FAILED";
    row.requested_by = "Ana Ortiz";
    row.detail = {{"steps", {{"done", 3}, {"total", 3}, {"failed", 0}}}};
    (void)journal.create_run(row, {"pack.run.submitted", "", {{"by", "Ana Ortiz"}}}, start + std::chrono::seconds(i));
  }
  return 0;
}
