// SPDX-License-Identifier: Apache-2.0
// 10,000 steps that do nothing, two at a time, durable, against `ninja -j2` on the same graph, which is not durable and
// has no sandbox. The steps say `onCrash: rerun`: their starts may share a commit. The whole run counts, to the sealed
// evidence.
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/bench/engine.hpp"

namespace {

namespace bench = stella::bench;

constexpr int kSteps = 10'000, kRounds = 5, kWarmUps = 0;

std::string spec_of(const std::string& on_crash) {
  return "  defaults: {onCrash: " + on_crash +
         "}\n  maxParallel: 2\n  steps:\n  - id: all\n    parallel:\n      maxParallel: 2\n      steps:\n" +
         bench::no_op_steps(kSteps, "      ");
}

void write_ninja(const std::string& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder + "/build.ninja");
  file << "rule noop\n  command = true\n";
  for (int step = 0; step < kSteps; ++step) file << "build s" << step << ": noop\n";
}

double syncs_per_step(const bench::Site& site, const std::string& pack) {
  const long before = bench::syncs_so_far();
  bench::run_engine(site, pack);
  return static_cast<double>(bench::syncs_so_far() - before) / kSteps;
}

void run_bench(bench::Table& table) {
  const bench::Site site;
  const std::string pack = site.pack("fanout", spec_of("rerun")), asking = site.pack("asking", spec_of("ask"));
  write_ninja(site.path("ninja"));
  table.figure("one fdatasync here", bench::sync_cost_ms(site.path("")), "ms");
  std::vector<bench::Work> works = {
      {"ninja",
       [&] {
         if (bench::run_program({"ninja", "-j2", "--quiet"}, bench::Keep::nothing, site.path("ninja")).status != 0)
           throw std::runtime_error("ninja failed");
       }},
      {"engine", [&] { bench::run_engine(site, pack); }},
  };
  bench::measure(works, kRounds, kWarmUps);
  const auto wall = [&](int i) { return bench::median(works[i].wall_ms); };
  const auto cpu = [&](int i) { return bench::median(works[i].cpu_ms); };
  table.row("fan-out of 10,000, without sandbox, wall, against ninja -j2", wall(1), wall(0), "<= 1.00");
  table.row("fan-out of 10,000, without sandbox, CPU", cpu(1), cpu(0), "");
  table.figure("syncs of a disk, a step", syncs_per_step(site, pack), "", "<= 0.25");
  table.figure("the same where a crash asks (every start is durable first)", syncs_per_step(site, asking), "");
  const auto whole = bench::run_program({bench::binary(), "--quiet", "pack", "run", "--bundle", pack});
  if (whole.status != 0) throw std::runtime_error("stella pack run ended with " + std::to_string(whole.status));
  table.row("fan-out of 10,000, `stella pack run`, wall, one round", whole.wall_ms, wall(0), "");
  table.figure("its memory at most", static_cast<double>(whole.max_rss_kib) / 1024, "MiB");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "fanout");
}
