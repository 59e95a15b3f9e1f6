// SPDX-License-Identifier: Apache-2.0
// What starting a step costs: /bin/true in a full step sandbox against `bwrap --unshare-all`, interleaved, medians.
// Usage: sandbox-launch-bench [--json FILE]. CPU is user and system time of ourselves and all children.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "appliance/sandbox/step.hpp"
#include "bundles/canon/json.hpp"
#include "bundles/fault/error.hpp"

namespace {

using stella::canon::Json;
namespace sandbox = stella::sandbox;

constexpr int kRounds = 30, kWarmUps = 3, kManyHosts = 20;

class Silent : public sandbox::Observer {
 public:
  void output(sandbox::Stream, std::string_view) override {}
  void blocked(const sandbox::Blocked&) override {}
  bool stop_requested() override { return false; }
};

struct Work {
  std::string name;
  std::function<void()> once;
  std::vector<double> wall_ms, cpu_ms;
};

double cpu_now_ms() {
  double total = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    for (const timeval& time : {used.ru_utime, used.ru_stime}) {
      total += static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    }
  }
  return total;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void spawn(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return;
  int status = 0;
  waitpid(pid, &status, 0);
}

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

// A step's process 1 is taken leave of in the background: its CPU time belongs to the launch all the same.
void settle() {
  siginfo_t ended{};
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT | WNOHANG | __WALL) == 0) usleep(500);
}

void measure(std::vector<Work>& works) {
  std::mt19937 shuffler(1);  // the kernel takes down a launch's namespaces during the next: nobody always comes second
  std::vector<std::size_t> order(works.size());
  std::iota(order.begin(), order.end(), 0);
  for (int round = -kWarmUps; round < kRounds; ++round) {
    std::shuffle(order.begin(), order.end(), shuffler);
    for (const std::size_t next : order) {
      Work& work = works[next];
      const double cpu = cpu_now_ms();
      const auto start = std::chrono::steady_clock::now();
      work.once();
      const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
      settle();
      if (round < 0) continue;
      work.wall_ms.push_back(wall.count());
      work.cpu_ms.push_back(cpu_now_ms() - cpu);
    }
  }
}

class Table {
 public:
  Table() { std::printf("%-58s %9s %9s %7s  %s\n", "what", "ours", "peer", "ratio", "goal"); }
  void row(const std::string& what, double ours, double peer, const std::string& goal) {
    const double ratio = peer > 0 ? ours / peer : 0;
    std::printf("%-58s %6.2f ms %6.2f ms %7.2f  %s\n", what.c_str(), ours, peer, ratio, goal.c_str());
    rows_.push_back({{"what", what}, {"oursMs", ours}, {"peerMs", peer}, {"ratio", ratio}, {"goal", goal}});
  }
  [[nodiscard]] const Json& rows() const { return rows_; }

 private:
  Json rows_ = Json::array();
};

Json report(const std::vector<Work>& works) {
  const auto wall = [&](std::size_t i) { return median(works[i].wall_ms); };
  const auto cpu = [&](std::size_t i) { return median(works[i].cpu_ms); };
  enum { bare, peer, bones, built, sealed, many };
  Table table;
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
  return {{"bench", "sandbox-launch"}, {"rounds", kRounds}, {"rows", table.rows()}, {"stages", stages}};
}

int run_bench(const std::string& json_path) {
  if (std::system("command -v bwrap >/dev/null") != 0) {
    std::fprintf(stderr, "bwrap is not installed: apt-get install bubblewrap\n");
    return 2;
  }
  std::string root = (std::filesystem::temp_directory_path() / "stella-bench.XXXXXX").string();
  if (mkdtemp(root.data()) == nullptr) return 2;
  for (const char* folder : {"pack", "inputs", "work", "artifacts"}) {
    std::filesystem::create_directory(root + "/" + folder);
  }
  const auto none = true_step(root, 0), many = true_step(root, kManyHosts);
  std::vector<Work> works = {
      {"start a program, nothing around it", [] { spawn({"/bin/true"}); }, {}, {}},
      {"bwrap",
       [] {
         spawn({"bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"});
       },
       {},
       {}},
      {"the seven namespaces, empty", namespaces_alone, {}, {}},
      {"and the view, the network and the filter in them", [] { (void)sandbox::probe(); }, {}, {}},
      {"and the step's own folders, its program and its supervision", [&] { step(none); }, {}, {}},
      {"20 hosts", [&] { step(many); }, {}, {}},
  };
  measure(works);
  const Json result = report(works);
  if (!json_path.empty()) std::ofstream(json_path) << stella::canon::pretty(result);
  std::filesystem::remove_all(root);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_bench(argc == 3 && std::string(argv[1]) == "--json" ? argv[2] : "");
  } catch (const stella::fault::Error& error) {
    std::fprintf(stderr, "%s\n  fix: %s\n", error.what(), error.fix().c_str());
    return error.exit_status();
  }
}
