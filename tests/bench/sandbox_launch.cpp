// SPDX-License-Identifier: Apache-2.0
// What starting a step costs: /bin/true in a full step sandbox against `bwrap --unshare-all`, interleaved, medians.
// Usage: sandbox-launch-bench [--json FILE]. CPU is user and system time of ourselves and all children.
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "appliance/sandbox/step.hpp"
#include "tests/bench/measure.hpp"

namespace {

namespace bench = stella::bench;
namespace sandbox = stella::sandbox;
using bench::Work;
using stella::canon::Json;

constexpr int kRounds = 30, kWarmUps = 3, kManyHosts = 20;

class Silent : public sandbox::Observer {
 public:
  void output(sandbox::Stream, std::string_view) override {}
  void blocked(const sandbox::Blocked&) override {}
  bool stop_requested() override { return false; }
};

// The seven namespaces and nothing in them: what no sandbox of this kind can do without.
void namespaces_alone() {
  clone_args arguments{};
  arguments.flags =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  arguments.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) _exit(0);
  int status = 0;
  waitpid(pid, &status, 0);
}

sandbox::Spec true_step(const std::string& root, int hosts) {
  sandbox::Spec spec;
  spec.step_id = "true";
  spec.argv = {"/bin/true"};
  spec.pack = root + "/pack";
  spec.inputs = root + "/inputs";
  spec.work = root + "/work";
  spec.artifacts = root + "/artifacts";
  spec.output_file = root + "/output";
  for (int i = 1; i <= hosts; ++i) {
    spec.allowed.push_back({"host" + std::to_string(i) + ".example", "10.1.2." + std::to_string(i), 443});
  }
  return spec;
}

void step(const sandbox::Spec& spec) {
  Silent observer;
  const auto result = sandbox::run(spec, observer);
  if (result.status != 0) std::fprintf(stderr, "the step ended with %d\n", result.status);
}

void report(const std::vector<Work>& works, bench::Table& table) {
  const auto wall = [&](std::size_t i) { return bench::median(works[i].wall_ms); };
  const auto cpu = [&](std::size_t i) { return bench::median(works[i].cpu_ms); };
  enum { bare, peer, bones, built, sealed, many };
  table.row("launch of /bin/true, wall, against bwrap --unshare-all", wall(sealed), wall(peer), "<= 1.25");
  table.row("launch of /bin/true, CPU, against bwrap --unshare-all", cpu(sealed), cpu(peer), "<= 2.00");
  table.row("with 20 allowed hosts, wall, against none", wall(many), wall(sealed), "<= 1.05");
  table.row("with 20 allowed hosts, CPU, against none", cpu(many), cpu(sealed), "<= 1.05");
  std::printf("\nwhere the time goes (medians; each line contains the one above)   wall       CPU\n");
  Json stages = Json::array();
  for (const std::size_t i : {std::size_t{bare}, std::size_t{bones}, std::size_t{built}, std::size_t{sealed}}) {
    std::printf("  %-58s %6.2f ms %6.2f ms\n", works[i].name.c_str(), wall(i), cpu(i));
    stages.push_back({{"what", works[i].name}, {"wallMs", wall(i)}, {"cpuMs", cpu(i)}});
  }
  table.add("rounds", kRounds);
  table.add("stages", std::move(stages));
}

void run_bench(bench::Table& table) {
  if (!bench::is_installed("bwrap")) throw std::runtime_error("bwrap is not installed: apt-get install bubblewrap");
  const bench::Folder root;
  for (const char* folder : {"pack", "inputs", "work", "artifacts"})
    std::filesystem::create_directory(root.path() + "/" + folder);
  const auto none = true_step(root.path(), 0), many = true_step(root.path(), kManyHosts);
  const std::vector<std::string> peer = {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"};
  std::vector<Work> works = {
      {"start a program, nothing around it", [] { (void)bench::run_program({"/bin/true"}); }},
      {"bwrap", [&] { (void)bench::run_program(peer); }},
      {"the seven namespaces, empty", namespaces_alone},
      {"and the view, the network and the filter in them", [] { (void)sandbox::probe(); }},
      {"and the step's own folders, its program and its supervision", [&] { step(none); }},
      {"20 hosts", [&] { step(many); }},
  };
  bench::measure(works, kRounds, kWarmUps);
  report(works, table);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "sandbox-launch");
}
