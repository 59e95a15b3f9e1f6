// SPDX-License-Identifier: Apache-2.0
// How long the binary takes to say something: `stella version` and `pack runs list` in an empty home, against
// `ninja --version`; and that nothing is connected to on the way. STELLA names the binary.
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/bench/measure.hpp"

namespace {

namespace bench = stella::bench;

constexpr int kRounds = 40, kWarmUps = 3;

// connect() calls to anything but loopback and Unix sockets, by strace.
int outside_connects(const std::string& binary, const std::string& folder) {
  const std::string trace = folder + "/trace";
  bench::must_run({"strace", "-f", "-qq", "-e", "trace=connect", "-o", trace, binary, "pack", "runs", "list"});
  std::ifstream file(trace);
  const auto outside = [](const std::string& line) {
    const auto says = [&](const char* words) { return line.find(words) != std::string::npos; };
    return says("connect(") && says("sa_family=AF_INET") && !says("\"127.") && !says("\"::1\"");
  };
  int count = 0;
  for (std::string line; std::getline(file, line);)
    if (outside(line)) ++count;
  return count;
}

void run_bench(bench::Table& table) {
  const char* binary = std::getenv("STELLA");
  if (binary == nullptr) throw std::runtime_error("STELLA does not name the binary");
  const bench::Folder home;
  setenv("STELLA_HOME", (home.path() + "/home").c_str(), 1);
  std::vector<bench::Work> works = {
      {"ninja --version",
       [] {
         (void)bench::run_program({"ninja", "--version"});
       }},
      {"stella version",
       [&] {
         (void)bench::run_program({binary, "version"});
       }},
      {"stella pack runs list",
       [&] {
         (void)bench::run_program({binary, "pack", "runs", "list"});
       }},
  };
  bench::measure(works, kRounds, kWarmUps);
  const double peer = bench::median(works[0].wall_ms);
  for (std::size_t i = 1; i < works.size(); ++i) {
    table.row(works[i].name + ", wall, against ninja --version", bench::median(works[i].wall_ms), peer, "<= 50 ms");
    table.row(works[i].name + ", CPU", bench::median(works[i].cpu_ms), bench::median(works[0].cpu_ms), "");
  }
  table.figure("connect() calls outside loopback and Unix sockets", outside_connects(binary, home.path()), "", "0");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "start");
}
