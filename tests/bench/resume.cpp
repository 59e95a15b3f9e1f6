// SPDX-License-Identifier: Apache-2.0
// Resuming a run of which 10,000 steps have ended and whose runner was killed in the one after them. The home is put
// back as the kill left it before every round. Time to where the next step starts, and to the sealed end.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/bench/engine.hpp"

namespace {

namespace bench = stella::bench;

constexpr int kSteps = 10'000, kRounds = 5, kWarmUps = 1;

std::string spec() {
  return "  defaults: {onCrash: rerun}\n  maxParallel: 2\n  steps:\n  - id: all\n    parallel:\n      maxParallel: 2\n"
         "      steps:\n" +
         bench::no_op_steps(kSteps, "      ") + "  - id: last\n    run: {command: [date, \"+at %s%N\"]}\n";
}

stella::sandbox::Result did_nothing() {
  stella::sandbox::Result result;
  result.limits = "advisory";
  return result;
}

// Runs until step `last`, which ends the runner as `kill -9` does.
void run_and_kill(const bench::Site& site, const std::string& pack) {
  const pid_t pid = fork();
  if (pid == 0) {
    try {
      bench::run_engine(site, pack, [](const stella::sandbox::Spec& step, stella::sandbox::Observer& observer) {
        if (step.step_id == "last") kill(getpid(), SIGKILL);
        return step.step_id == "s0" ? bench::spawn_bare(step, observer) : did_nothing();
      });
    } catch (const std::exception& error) {
      fprintf(stderr, "%s\n", error.what());
    }
    _exit(1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (!WIFSIGNALED(status)) throw std::runtime_error("the run was not killed");
}

void restore(const bench::Site& site) {
  bench::must_run({"rm", "-rf", site.home()});
  bench::must_run({"cp", "-a", site.path("kept"), site.home()});
}

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void run_bench(bench::Table& table) {
  const bench::Site site;
  run_and_kill(site, site.pack("many", spec()));
  const auto list = bench::must_run({bench::binary(), "--output", "json", "pack", "runs", "list"});
  const auto runs = stella::canon::Json::parse(list.output);
  const std::string run = runs.at("runs").at(0).at("runId");
  bench::must_run({"cp", "-a", site.home(), site.path("kept")});
  std::vector<double> wall, cpu, rss, first;
  for (int round = -kWarmUps; round < kRounds; ++round) {
    restore(site);
    const double start = now_ms();
    const auto used = bench::must_run({bench::binary(), "--quiet", "pack", "runs", "resume", run});
    if (round < 0) continue;
    wall.push_back(used.wall_ms);
    cpu.push_back(used.cpu_ms);
    rss.push_back(static_cast<double>(used.max_rss_kib) / 1024);
    const auto log = bench::must_run({bench::binary(), "pack", "runs", "logs", run, "--step", "last", "--raw"}).output;
    const auto at = log.find("at ");
    if (at == std::string::npos) throw std::runtime_error("the last step said nothing: " + log);
    first.push_back(std::stod(log.substr(at + 3)) / 1e6 - start);
  }
  table.figure("resume after 10,000 ended steps, to the next step, wall", bench::median(first), "ms", "<= 2000");
  table.figure("and to the sealed end, wall", bench::median(wall), "ms", "<= 2000");
  table.figure("and to the sealed end, CPU", bench::median(cpu), "ms");
  table.figure("its memory at most", bench::median(rss), "MiB", "<= 64");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "resume");
}
