// SPDX-License-Identifier: Apache-2.0
// The parts in which a step is read; steps.cpp puts them together. One thread.
#pragma once

#include "appliance/pack/manifest.hpp"
#include "appliance/pack/section.hpp"

namespace stella::pack {

inline constexpr std::size_t kMaxSteps = 20000;  // of a pack, nested ones included
inline constexpr std::size_t kMaxWords = 1000;   // of a command, an env, a list of names
inline constexpr int kMaxTurns = 100000;         // of a map or loop
inline constexpr int kMaxNesting = 16;           // groups in groups

// What a pack says once for all its run steps.
struct Defaults {
  clock::Duration timeout = std::chrono::hours(1);
  Retries retries;
  bool continue_on_error = false;
  OnCrash on_crash = OnCrash::ask;
  std::map<std::string, std::string> env;
  std::optional<std::vector<Ask>> network;
};
[[nodiscard]] Defaults read_defaults(Section& spec, Findings& findings);
[[nodiscard]] std::optional<OnCrash> read_on_crash(Section& section);
void read_env(Section& section, Findings& findings, std::map<std::string, std::string>& env);

void read_run(Section& section, Findings& findings, const Defaults& defaults, Step& step);
// What a run step says that it leaves: typed values in $STELLA_OUTPUT, files beneath /artifacts.
void read_step_outputs(Section& section, Findings& findings, Step& step);
void read_step_artifacts(Section& section, Findings& findings, Step& step);
void read_gate(Section& section, Findings& findings, Step& step);

// An expression by itself or as one `${{ }}` hole; both give the expression's text.
[[nodiscard]] std::string read_expression(Section& section, std::string_view name, Need need = Need::optional);

// Reads lists of steps, groups and all that is in them.
class StepReader {
 public:
  StepReader(Findings& findings, const Defaults& defaults) : findings_(findings), defaults_(defaults) {}
  [[nodiscard]] std::vector<Step> list(Section& owner, std::string_view name, Need need = Need::required);

 private:
  Step step(const canon::Json& item, const std::string& pointer);
  void group(Section& section, Step& step);
  void parallel(Section& group, Step& step);
  void map(Section& group, Step& step);
  void loop(Section& group, Step& step);
  void conditional(Section& group, Step& step);
  void iterators(Section& group, Step& step);
  void failures(Section& group, Step& step);
  void items(Section& group, Step& step, const std::vector<const char*>& forms);

  Findings& findings_;
  const Defaults& defaults_;
  std::size_t count_ = 0;
  int depth_ = 0;
};

}  // namespace stella::pack
