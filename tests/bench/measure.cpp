// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/measure.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <stdexcept>

#include "bundles/fault/error.hpp"

namespace stella::bench {
namespace {

using canon::Json;
using Steady = std::chrono::steady_clock;

double ms_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

double ms_since(Steady::time_point start) {
  return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

// A child that was cloned without an exit signal is taken leave of in the background: its time belongs to the work.
void settle() {
  siginfo_t ended{};
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT | WNOHANG | __WALL) == 0) usleep(500);
}

[[noreturn]] void become(const std::vector<std::string>& argv, int output, const std::string& folder) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int none = open("/dev/null", O_RDWR);
  dup2(none, 0);
  dup2(output >= 0 ? output : none, 1);
  if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(126);
  execvp(words[0], words.data());
  _exit(127);
}

}  // namespace

double cpu_now_ms() {
  double total = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    total += ms_of(used.ru_utime) + ms_of(used.ru_stime);
  }
  return total;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

Used run_program(const std::vector<std::string>& argv, Keep keep, const std::string& folder) {
  int ends[2] = {-1, -1};
  if (keep == Keep::output && pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const auto start = Steady::now();
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("no process");
  if (pid == 0) become(argv, ends[1], folder);
  Used used;
  if (keep == Keep::output) {
    close(ends[1]);
    char buffer[65536];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
      used.output.append(buffer, static_cast<std::size_t>(got));
    close(ends[0]);
  }
  int status = 0;
  rusage spent{};
  while (wait4(pid, &status, 0, &spent) < 0 && errno == EINTR) continue;
  used.wall_ms = ms_since(start);
  used.cpu_ms = ms_of(spent.ru_utime) + ms_of(spent.ru_stime);
  used.max_rss_kib = spent.ru_maxrss;
  used.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return used;
}

Used must_run(const std::vector<std::string>& argv, int status) {
  Used used = run_program(argv, Keep::output);
  if (used.status == status) return used;
  std::string line;
  for (const auto& word : argv) line += word + " ";
  throw std::runtime_error(line + "ended with " + std::to_string(used.status) + ": " + used.output);
}

void measure(std::vector<Work>& works, int rounds, int warm_ups) {
  std::mt19937 shuffler(1);  // nobody always comes second: the kernel cleans up after one work during the next
  std::vector<std::size_t> order(works.size());
  std::iota(order.begin(), order.end(), 0);
  for (int round = -warm_ups; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), shuffler);
    for (const std::size_t next : order) {
      Work& work = works[next];
      const double cpu = cpu_now_ms();
      const auto start = Steady::now();
      work.once();
      const double wall = ms_since(start);
      settle();
      if (round < 0) continue;
      work.wall_ms.push_back(wall);
      work.cpu_ms.push_back(cpu_now_ms() - cpu);
    }
  }
}

double sync_cost_ms(const std::string& folder) {
  const std::string path = folder + "/probe";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<double> costs;
  for (int i = 0; i < 50 && fd >= 0; ++i) {
    const auto start = Steady::now();
    (void)!write(fd, "0123456789abcdef", 16);
    fdatasync(fd);
    costs.push_back(ms_since(start));
  }
  if (fd >= 0) close(fd);
  std::filesystem::remove(path);
  return median(costs);
}

Table::Table(std::string bench) : document_({{"bench", std::move(bench)}, {"rows", Json::array()}}) {
  std::printf("%-62s %12s %12s %7s  %s\n", "what", "ours", "peer", "ratio", "goal");
}

void Table::row(const std::string& what, double ours, double peer, const std::string& goal, const std::string& unit) {
  const double ratio = peer > 0 ? ours / peer : 0;
  std::printf("%-62s %9.2f %-2s %9.2f %-2s %7.2f  %s\n", what.c_str(), ours, unit.c_str(), peer, unit.c_str(), ratio,
              goal.c_str());
  document_["rows"].push_back(
      {{"what", what}, {"ours", ours}, {"peer", peer}, {"unit", unit}, {"ratio", ratio}, {"goal", goal}});
}

void Table::figure(const std::string& what, double value, const std::string& unit, const std::string& goal) {
  std::printf("%-62s %9.2f %-2s %12s %7s  %s\n", what.c_str(), value, unit.c_str(), "", "", goal.c_str());
  document_["rows"].push_back({{"what", what}, {"ours", value}, {"unit", unit}, {"goal", goal}});
}

void Table::save(const std::string& path) const {
  if (!path.empty()) std::ofstream(path) << canon::pretty(document_);
}

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "stella-bench.XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int run_main(int argc, char** argv, const std::function<void(Table&)>& bench, const std::string& name) {
  try {
    Table table(name);
    bench(table);
    table.save(argc == 3 && std::string(argv[1]) == "--json" ? argv[2] : "");
    return 0;
  } catch (const fault::Error& error) {
    std::fprintf(stderr, "%s\n  fix: %s\n", error.what(), error.fix().c_str());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace stella::bench
