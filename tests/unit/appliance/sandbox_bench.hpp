// SPDX-License-Identifier: Apache-2.0
// A bench for trying steps: a run's folders in a temporary place, and what came of one step.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "appliance/sandbox/step.hpp"

namespace stella::sandbox {

struct Outcome {
  Result result;
  std::string out, err;
  std::vector<Blocked> told;
  // The attempt at this host or address, this port and protocol; nullptr when there is none.
  [[nodiscard]] const Blocked* find(const std::string& protocol, const std::string& where, int port) const {
    for (const auto& one : result.blocked) {
      if (one.protocol == protocol && one.port == port && (one.host == where || one.address == where)) return &one;
    }
    return nullptr;
  }
};

class Collector : public Observer {
 public:
  void output(Stream stream, std::string_view bytes) override {
    auto& text = stream == Stream::out ? outcome.out : outcome.err;
    total += bytes.size();
    if (text.size() < (std::size_t{1} << 20)) text += bytes;
  }
  void blocked(const Blocked& first_seen) override { outcome.told.push_back(first_seen); }
  bool stop_requested() override { return stop && stop(*this); }
  bool network_is_cut() override { return cut && cut(*this); }
  Outcome outcome;
  std::uint64_t total = 0;
  std::function<bool(Collector&)> stop, cut;
};

class Site {
 public:
  Site() {
    std::string name = (std::filesystem::temp_directory_path() / "stella-step.XXXXXX").string();
    root = mkdtemp(name.data());
    for (const char* folder : {"pack", "inputs", "work", "artifacts"})
      std::filesystem::create_directory(root + "/" + folder);
  }
  Site(const Site&) = delete;
  ~Site() { std::filesystem::remove_all(root); }

  [[nodiscard]] Spec spec(std::vector<std::string> argv) const {
    Spec made;
    made.step_id = "try";
    made.argv = std::move(argv);
    made.pack = root + "/pack";
    made.inputs = root + "/inputs";
    made.work = root + "/work";
    made.artifacts = root + "/artifacts";
    made.output_file = root + "/output";
    made.timeout = std::chrono::seconds(60);
    // The second round of these tests: everything must hold with an image for the root, too.
    if (const char* image = std::getenv("STELLA_TEST_IMAGE_ROOT")) made.root = image;
    return made;
  }
  Outcome run(std::vector<std::string> argv) { return run(spec(std::move(argv))); }
  Outcome run(const Spec& wanted) {
    Collector collector;
    collector.outcome.result = sandbox::run(wanted, collector);
    return std::move(collector.outcome);
  }
  Outcome shell(const std::string& script) { return run({"bash", "-c", script}); }
  void write(const std::string& path, const std::string& text) const { std::ofstream(root + "/" + path) << text; }
  [[nodiscard]] std::string read(const std::string& path) const {
    std::ifstream in(root + "/" + path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string root;
};

}  // namespace stella::sandbox
