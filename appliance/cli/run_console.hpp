// SPDX-License-Identifier: Apache-2.0
// How a run shows itself on a terminal and in programs' pipes, for the verbs that run and look. One thread.
#pragma once

#include <string>

#include "appliance/cli/command.hpp"
#include "appliance/run/live.hpp"

namespace stella::cli {

class RunConsole : public run::Listener {
 public:
  explicit RunConsole(Invocation& call) : call_(&call) {}
  void event(const journal::Event& event) override;
  void line(const std::string& step, std::string_view text) override;
  void note(const std::string& text) override;

 private:
  Invocation* call_;
};

// RUN as --run or as a plain argument; ERR_USAGE when neither or both differ.
[[nodiscard]] std::string need_run(Invocation& call);
// What the runner is handed on this machine. The vault is asked for at the first secret; `secrets`, when it is not
// null, stands in for it.
[[nodiscard]] run::Tools tools_for(Invocation& call, journal::Journal& journal, RunConsole& console,
                                   std::unique_ptr<lease::Source> secrets);
// Prints the result and, where there is one, throws the outcome's error; gives 0 otherwise.
int show_outcome(Invocation& call, const journal::Journal& journal, const run::Outcome& outcome);

}  // namespace stella::cli
