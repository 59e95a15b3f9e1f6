// SPDX-License-Identifier: Apache-2.0
// Validating and planning a pack of 10,000 steps against `ninja -n` on the same graph: layers of 100, each step needing
// two of the layer before. STELLA names the binary.
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/bench/site.hpp"

namespace {

namespace bench = stella::bench;

constexpr int kSteps = 10'000, kWidth = 100, kRounds = 9, kWarmUps = 1;

std::vector<int> needs_of(int step) {
  if (step < kWidth) return {};
  const int before = step - step % kWidth - kWidth, place = step % kWidth;
  return {before + place, before + (place + 1) % kWidth};
}

std::string spec() {
  std::string text = "  steps:\n";
  for (int step = 0; step < kSteps; ++step) {
    text += "  - id: s" + std::to_string(step) + "\n    needs: [";
    const auto needs = needs_of(step);
    for (std::size_t i = 0; i < needs.size(); ++i) text += (i > 0 ? ", s" : "s") + std::to_string(needs[i]);
    text += "]\n    run: {command: [\"true\"]}\n";
  }
  return text;
}

void write_ninja(const std::string& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder + "/build.ninja");
  file << "rule noop\n  command = true\n";
  for (int step = 0; step < kSteps; ++step) {
    file << "build s" << step << ": noop";
    for (const int need : needs_of(step)) file << " s" << need;
    file << '\n';
  }
}

void run_bench(bench::Table& table) {
  const bench::Site site;
  const std::string pack = site.folder("graph", spec()), ninja = site.path("ninja"), plan = site.path("plan.json");
  write_ninja(ninja);
  std::vector<bench::Work> works = {{"ninja -n", {}}, {"stella pack plan", {}}};
  works[0].once = [&] {
    if (bench::run_program({"ninja", "-n"}, bench::Keep::nothing, ninja).status != 0)
      throw std::runtime_error("ninja -n failed");
  };
  works[1].once = [&] {
    const auto used =
        bench::run_program({bench::binary(), "--quiet", "pack", "plan", "--out", plan}, bench::Keep::nothing, pack);
    if (used.status != 0) throw std::runtime_error("stella pack plan ended with " + std::to_string(used.status));
    works[1].rss_kib.push_back(static_cast<double>(used.max_rss_kib));
  };
  bench::measure(works, kRounds, kWarmUps);
  table.row("validate and plan 10,000 steps, wall, against ninja -n", bench::median(works[1].wall_ms),
            bench::median(works[0].wall_ms), "<= 0.50");
  table.row("validate and plan 10,000 steps, CPU, against ninja -n", bench::median(works[1].cpu_ms),
            bench::median(works[0].cpu_ms), "");
  table.figure("its memory at most", bench::median(works[1].rss_kib) / 1024, "MiB");
  table.figure("the plan's size", static_cast<double>(std::filesystem::file_size(plan)) / (1 << 20), "MiB");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "plan");
}
