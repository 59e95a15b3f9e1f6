// SPDX-License-Identifier: Apache-2.0
// What every bench does the same way: works run in turn in one call, medians, ratios against a peer or floor, one table
// and its JSON. CPU is user and system time of ourselves and all children.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "bundles/canon/json.hpp"

namespace stella::bench {

struct Work {
  std::string name;
  std::function<void()> once;
  std::vector<double> wall_ms = {}, cpu_ms = {}, rss_kib = {};
};

// What a child used, from start to the end of it and of all that it waited for.
struct Used {
  int status = 0;  // exit status; 128 + N for signal N
  double wall_ms = 0, cpu_ms = 0;
  long max_rss_kib = 0;
  std::string output;  // standard output, when it was asked for
};
enum class Keep { nothing, output };
// Runs a program to its end; standard input is /dev/null, standard error is ours.
[[nodiscard]] Used run_program(const std::vector<std::string>& argv, Keep keep = Keep::nothing,
                               const std::string& folder = {});
// The same, and an error when it does not exit with `status`.
Used must_run(const std::vector<std::string>& argv, int status = 0);

[[nodiscard]] double median(std::vector<double> values);
[[nodiscard]] double cpu_now_ms();
[[nodiscard]] bool is_installed(const std::string& program);

// Runs the works in turn, shuffled each round, after `warm_ups` rounds that do not count.
void measure(std::vector<Work>& works, int rounds, int warm_ups);

// A probe of this minute: what one fdatasync of a grown file costs here, in milliseconds (median of 50).
[[nodiscard]] double sync_cost_ms(const std::string& folder);

class Table {
 public:
  explicit Table(std::string bench);
  // `unit` of ours and peer, for people; ratio = ours / peer.
  void row(const std::string& what, double ours, double peer, const std::string& goal, const std::string& unit = "ms");
  // A figure with no peer.
  void figure(const std::string& what, double value, const std::string& unit, const std::string& goal = {});
  void add(const std::string& name, canon::Json value) { document_[name] = std::move(value); }
  // Writes the JSON, when `path` is not empty.
  void save(const std::string& path) const;

 private:
  canon::Json document_;
};

// A folder beneath the temporary folder, removed at the end.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// The body of every main: `NAME-bench [--json FILE]`. Gives the exit status.
int run_main(int argc, char** argv, const std::function<void(Table&)>& bench, const std::string& name);

}  // namespace stella::bench
