// SPDX-License-Identifier: Apache-2.0
// A step that prints 1 GB while 32 secrets are leased: every byte is searched for them, hashed and stored. Against the
// same bytes read from a pipe and dropped, and against a plain automaton that looks at one byte after the other.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <fstream>
#include <stdexcept>

#include "tests/bench/site.hpp"

namespace {

namespace bench = stella::bench;

constexpr int kRounds = 5, kWarmUps = 1, kSecrets = 32;
constexpr double kMegabytes = 1000;
constexpr const char* kPrint =
    "yes '2026-11-24T10:00:00Z controller 7 of cell c1: flashed block 0042 of 1024, verified, 0 errors' | "
    "head -c 1000000000";

std::string secret(int i) {
  return "pass-" + std::to_string(100003 * (i + 7)) + "-" + std::string(8, static_cast<char>('a' + i % 26)) + "-word";
}

// What Aho and Corasick wrote down: a table of next states, one look-up a byte.
class Automaton {
 public:
  Automaton() {
    next_.emplace_back();
    for (int i = 0; i < kSecrets; ++i) add(secret(i));
    std::vector<int> fail(next_.size(), 0);
    std::deque<int> todo;
    for (const int child : next_[0])
      if (child != 0) todo.push_back(child);
    for (; !todo.empty(); todo.pop_front()) {
      const int state = todo.front();
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const int child = next_[state][byte], other = next_[fail[state]][byte];
        if (child == 0) {
          next_[state][byte] = other;
        } else {
          fail[child] = other;
          todo.push_back(child);
        }
      }
    }
  }
  void take(const char* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      state_ = next_[state_][static_cast<unsigned char>(bytes[i])];
      found_ += is_end_[state_] ? 1 : 0;
    }
  }
  [[nodiscard]] long found() const { return found_; }

 private:
  void add(const std::string& word) {
    int state = 0;
    for (const char byte : word) {
      const auto place = static_cast<unsigned char>(byte);
      if (next_[state][place] == 0) {
        next_.emplace_back();
        next_[state][place] = static_cast<int>(next_.size()) - 1;
      }
      state = next_[state][place];
    }
    is_end_.resize(next_.size());
    is_end_[state] = true;
  }
  std::vector<std::array<int, 256>> next_;
  std::vector<bool> is_end_;
  int state_ = 0;
  long found_ = 0;
};

void read_pipe(const std::function<void(const char*, std::size_t)>& take) {
  FILE* pipe = popen(kPrint, "r");
  std::vector<char> buffer(1 << 16);
  for (ssize_t got = 0; (got = read(fileno(pipe), buffer.data(), buffer.size())) > 0;)
    take(buffer.data(), static_cast<std::size_t>(got));
  pclose(pipe);
}

std::string spec() {
  std::string text = "  secrets:\n", names;
  for (int i = 0; i < kSecrets; ++i) {
    const std::string name = "s" + std::to_string(i);
    text += "  - {name: " + name + ", scope: bench, as: file}\n";
    names += (i > 0 ? ", " : "") + name;
  }
  return text + "  steps:\n  - id: print\n    run:\n      secrets: [" + names + "]\n      script: |\n        " +
         kPrint + "\n";
}

// Of the step, as its end in the journal says.
double elapsed_ms(const std::string& events) {
  const std::string name = "\"elapsedMs\":";
  const auto at = events.find(name);
  if (at == std::string::npos) throw std::runtime_error("no event says how long the step took");
  return std::stod(events.substr(at + name.size()));
}

std::string write_secrets(const bench::Site& site) {
  stella::canon::Json all;
  for (int i = 0; i < kSecrets; ++i) all["s" + std::to_string(i)] = secret(i);
  const std::string path = site.path("secrets.json");
  std::ofstream(path) << all.dump();
  chmod(path.c_str(), 0600);
  return path;
}

void run_bench(bench::Table& table) {
  const bench::Site site("constrained");
  const std::string pack = site.pack("print", spec()), secrets = write_secrets(site);
  Automaton automaton;
  std::vector<double> rss, step;
  std::vector<bench::Work> works = {
      {"pipe", [] { read_pipe([](const char*, std::size_t) {}); }},
      {"automaton", [&] { read_pipe([&](const char* bytes, std::size_t count) { automaton.take(bytes, count); }); }},
      {"stella",
       [&] {
         const auto used = bench::must_run(
             {bench::binary(), "--output", "ndjson", "pack", "run", "--bundle", pack, "--secrets", secrets});
         step.push_back(elapsed_ms(used.output));
         rss.push_back(static_cast<double>(used.max_rss_kib) / 1024);
       }},
  };
  bench::measure(works, kRounds, kWarmUps);
  if (automaton.found() != 0) throw std::runtime_error("the automaton found what is not there");
  const auto rate = [&](int i) { return kMegabytes / (bench::median(works[i].wall_ms) / 1000); };
  const double stored = kMegabytes / (bench::median({step.begin() + kWarmUps, step.end()}) / 1000);
  table.row("1 GB printed, redacted, hashed, stored, against reading the pipe", stored, rate(0), ">= 0.50", "MB/s");
  table.row("the same against a plain automaton", stored, rate(1), "", "MB/s");
  table.row("the whole run, to the sealed evidence", rate(2), rate(0), "", "MB/s");
  table.row("CPU, with the printing program's", bench::median(works[2].cpu_ms), bench::median(works[0].cpu_ms), "");
  table.figure("memory at most", bench::median(rss), "MiB", "<= 64");
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main(argc, argv, run_bench, "log");
}
